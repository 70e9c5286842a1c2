package rtc

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the TURN REST API prescribes HMAC-SHA1
	"encoding/base64"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// ICEServers are the STUN and TURN servers for one session's client. The TURN
// credential is valid from now for turn_ttl (draft-uberti-behave-turn-rest;
// coturn's use-auth-secret): username "expiry:session", expiry in Unix seconds,
// password base64(HMAC-SHA1(turn_secret, username)).
func (a *API) ICEServers(id liveproof.SessionID, now time.Time) []webrtc.ICEServer {
	servers := []webrtc.ICEServer{}
	if len(a.cfg.STUNURLs) > 0 {
		servers = append(servers, webrtc.ICEServer{URLs: a.cfg.STUNURLs})
	}
	if len(a.cfg.TURNURLs) > 0 {
		username := fmt.Sprintf("%d:%s", now.Add(a.cfg.TURNTTL).Unix(), id)
		servers = append(servers, webrtc.ICEServer{
			URLs: a.cfg.TURNURLs, Username: username, Credential: turnPassword(a.cfg.TURNSecret, username),
			CredentialType: webrtc.ICECredentialTypePassword,
		})
	}
	return servers
}

func turnPassword(secret, username string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
