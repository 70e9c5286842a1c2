package main

import (
	"io"
	"net/http"
	"strings"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

// negotiate offers what pc sends over WHIP and takes the answer.
func (s *server) negotiate(made createdSession, pc *webrtc.PeerConnection) {
	s.t.Helper()
	offer, err := pc.CreateOffer(nil)
	require.NoError(s.t, err)
	gathered := webrtc.GatheringCompletePromise(pc)
	require.NoError(s.t, pc.SetLocalDescription(offer))
	<-gathered
	status, answer := s.postOffer(made, pc.LocalDescription().SDP)
	require.Equal(s.t, http.StatusCreated, status, answer)
	require.NoError(s.t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
}

// postOffer is the POST of RFC 9725, section 4.2.
func (s *server) postOffer(made createdSession, offer string) (status int, body string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, made.WHIPURL, strings.NewReader(offer))
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+made.ClientToken)
	req.Header.Set("Content-Type", "application/sdp")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp.StatusCode, string(raw)
}
