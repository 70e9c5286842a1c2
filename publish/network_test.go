package publish

import (
	"bytes"
	"context"
	"math"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestNetworkRefuses(t *testing.T) {
	for says, n := range map[string]Network{
		"loss":                      {Loss: math.NaN()},
		"loss: 1.1":                 {Loss: 1.1},
		"loss: -0.1":                {Loss: -.1},
		"burst: -1":                 {Burst: -1},
		"raise burst or lower loss": {Loss: .8, Burst: 3},
		"delay: -1ns":               {Delay: -1},
		"delay: 11s":                {Delay: 11 * time.Second},
		"jitter: 11s":               {Jitter: 11 * time.Second},
		"bandwidth: 300":            {Bandwidth: 300},
		"bandwidth: -300000":        {Bandwidth: -300_000},
	} {
		require.ErrorContains(t, n.Validate(), says, "%+v", n)
		require.ErrorContains(t, n.settings(&webrtc.SettingEngine{}), says, "%+v", n)
	}
	for _, n := range []Network{{}, {Loss: 1}, {Loss: .75, Burst: 3}, {Loss: .1, Burst: 1}, {Delay: time.Second, Jitter: time.Second, Bandwidth: 12_000}} {
		require.NoError(t, n.Validate(), "%+v", n)
	}
}

func TestOnlyAnImpairedNetworkIsInTheWay(t *testing.T) {
	require.False(t, Network{Seed: 7, Burst: 3}.Impairs())
	for _, n := range []Network{{Loss: .1}, {Delay: 1}, {Jitter: 1}, {Bandwidth: 12_000}} {
		require.True(t, n.Impairs(), "%+v", n)
	}
}

// TestNetworkOfManyPublishers: each loses packets of its own, and the same in every run.
func TestNetworkOfManyPublishers(t *testing.T) {
	n := &Network{Loss: .3, Seed: 1}
	first, again := n.Of(1), n.Of(1)
	require.Equal(t, first, again)
	require.NotEqual(t, n.Of(1), n.Of(2))
	require.NotEqual(t, outcomes(newLine(*n.Of(1), 0), 200), outcomes(newLine(*n.Of(2), 0), 200))
	require.InDelta(t, .3, n.Of(5).Loss, 0)
	require.Nil(t, (*Network)(nil).Of(1))
}

// outcomes are which of many packets of 1000 bytes, one a millisecond, are lost.
func outcomes(l *line, packets int) (lost []bool) {
	now := time.Now()
	for i := range packets {
		_, ok := l.carry(now.Add(time.Duration(i)*time.Millisecond), 1000)
		lost = append(lost, !ok)
	}
	return lost
}

// share returns the share of losses, and the mean number of losses in a row.
func share(lost []bool) (loss, run float64) {
	losses, runs := 0., 0.
	for i, l := range lost {
		if l {
			losses++
			if i == 0 || !lost[i-1] {
				runs++
			}
		}
	}
	return losses / float64(len(lost)), losses / max(runs, 1)
}

// TestLossHasItsShare: within 4 standard deviations, which are √(p(1-p)/n) for independent losses and, in Gilbert's
// model, about √(2b) times as much.
func TestLossHasItsShare(t *testing.T) {
	const packets = 20_000
	for _, c := range []struct{ loss, burst, run float64 }{
		{0, 0, 0}, {.02, 0, 1 / .98}, {.1, 0, 1 / .9}, {.1, 1, 1 / .9}, {.5, 0, 2}, {.1, 4, 4}, {.2, 10, 10}, {.75, 3, 3}, {1, 0, packets},
	} {
		for seed := range uint64(5) {
			loss, run := share(outcomes(newLine(Network{Loss: c.loss, Burst: c.burst, Seed: seed}, 0), packets))
			deviation := math.Sqrt(c.loss * (1 - c.loss) / packets * max(1, 2*c.burst))
			require.InDelta(t, c.loss, loss, 4*deviation, "%+v, seed %d", c, seed)
			require.InEpsilon(t, c.run+1, run+1, .12, "%+v, seed %d", c, seed)
		}
	}
}

func TestSeedChoosesTheLosses(t *testing.T) {
	n := Network{Loss: .3, Jitter: 10 * time.Millisecond, Seed: 3}
	want := outcomes(newLine(n, 0), 500)
	require.Equal(t, want, outcomes(newLine(n, 0), 500), "it can be repeated")
	require.NotEqual(t, want, outcomes(newLine(n, 1), 500), "the other direction has losses of its own")
	other := n
	other.Seed = 4
	require.NotEqual(t, want, outcomes(newLine(other, 0), 500))
	n.Jitter = 0
	require.Equal(t, want, outcomes(newLine(n, 0), 500), "jitter does not change what is lost")
}

func TestJitterReordersWithinItsBounds(t *testing.T) {
	l := newLine(Network{Delay: 50 * time.Millisecond, Jitter: 30 * time.Millisecond}, 0)
	now, last, overtaking, sum := time.Now(), time.Time{}, 0, time.Duration(0)
	for i := range 10_000 {
		entered := now.Add(time.Duration(i) * time.Millisecond)
		arrives, ok := l.carry(entered, 100)
		require.True(t, ok)
		took := arrives.Sub(entered)
		require.GreaterOrEqual(t, took, l.Delay)
		require.LessOrEqual(t, took, l.Delay+l.Jitter)
		if sum += took; arrives.Before(last) {
			overtaking++
		}
		last = arrives
	}
	require.Greater(t, overtaking, 1000)
	require.InDelta(t, 65, (sum/10_000).Seconds()*1000, .5, "ms on average")
}

// TestBandwidthLimitsAndItsQueueIsBounded: twice the bandwidth is offered for 20 s.
func TestBandwidthLimitsAndItsQueueIsBounded(t *testing.T) {
	const offered, bytes = 20 * time.Second, 1222
	l := newLine(Network{Bandwidth: 1_000_000}, 0)
	now, last, passed := time.Now(), time.Time{}, 0
	for at := time.Duration(0); at < offered; at += 5 * time.Millisecond { // 250 packets of 10 kbit, with headers
		sent, ok := l.carry(now.Add(at), bytes)
		if !ok {
			continue
		}
		passed++
		require.False(t, sent.Before(last), "first come, first served")
		require.LessOrEqual(t, sent.Sub(now.Add(at)), queueLength+10*time.Millisecond)
		last = sent
	}
	require.InDelta(t, 1_000_000*20.2, passed*(bytes+headerBytes)*8, 20_000, "20 s and what the queue held")
	idle := now.Add(offered + time.Hour)
	sent, ok := l.carry(idle, bytes)
	require.True(t, ok)
	require.Equal(t, 10*time.Millisecond, sent.Sub(idle), "an idle line saves no bandwidth for later")
}

// TestBandwidthLimitsOnlyWhatIsSent: what the server sends comes at once.
func TestBandwidthLimitsOnlyWhatIsSent(t *testing.T) {
	net := Network{Bandwidth: 12_000}.impair(nil).(impairedNet)
	require.Zero(t, net.down.Bandwidth)
	require.Equal(t, 12_000, net.up.Bandwidth)
}

// hosts joins a socket on the impaired network with one on the same network without impairments.
func hosts(t *testing.T, n Network) (impaired, other transport.UDPConn) {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()})
	require.NoError(t, err)
	bind := func(ip string, through func(transport.Net) transport.Net) transport.UDPConn {
		host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
		require.NoError(t, err)
		require.NoError(t, router.AddNet(host))
		conn, err := through(host).ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip), Port: 5000})
		require.NoError(t, err)
		return conn
	}
	impaired = bind("10.0.0.1", n.impair)
	other = bind("10.0.0.2", func(n transport.Net) transport.Net { return n })
	require.NoError(t, router.Start())
	t.Cleanup(func() {
		_ = impaired.Close()
		require.NoError(t, other.Close())
		require.NoError(t, router.Stop())
	})
	return impaired, other
}

// TestPacketsTakeTheirTime: in the time of a bubble, both directions take the delay to the nanosecond.
func TestPacketsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := hosts(t, Network{Delay: 150 * time.Millisecond})
		for _, c := range []struct{ from, to transport.UDPConn }{{near, far}, {far, near}} {
			begun, buffer := time.Now(), make([]byte, 100)
			for _, text := range []string{"one", "two", "three"} {
				_, err := c.from.WriteTo([]byte(text), c.to.LocalAddr())
				require.NoError(t, err)
			}
			for _, text := range []string{"one", "two", "three"} {
				n, from, err := c.to.ReadFrom(buffer)
				require.NoError(t, err)
				require.Equal(t, text, string(buffer[:n]))
				require.Equal(t, c.from.LocalAddr().String(), from.String())
				require.Equal(t, 150*time.Millisecond, time.Since(begun))
			}
		}
	})
}

// TestReadingEndsAtItsDeadline, also while a packet is under way, and goes on with the packet after it.
func TestReadingEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := hosts(t, Network{Delay: time.Second})
		begun, buffer := time.Now(), make([]byte, 100)
		_, err := far.WriteTo([]byte("late"), near.LocalAddr())
		require.NoError(t, err)
		require.NoError(t, near.SetReadDeadline(begun.Add(300*time.Millisecond)))
		var timeout net.Error
		_, _, err = near.ReadFrom(buffer)
		require.ErrorAs(t, err, &timeout)
		require.True(t, timeout.Timeout())
		require.Equal(t, 300*time.Millisecond, time.Since(begun))
		go func() { // as ICE does when it closes a candidate
			time.Sleep(200 * time.Millisecond)
			_ = near.SetDeadline(time.Now())
		}()
		require.NoError(t, near.SetReadDeadline(time.Time{}))
		_, _, err = near.ReadFrom(buffer)
		require.ErrorAs(t, err, &timeout)
		require.Equal(t, 500*time.Millisecond, time.Since(begun))
		require.NoError(t, near.SetReadDeadline(time.Time{}))
		n, _, err := near.ReadFrom(buffer)
		require.NoError(t, err)
		require.Equal(t, "late", string(buffer[:n]))
		require.Equal(t, time.Second, time.Since(begun))
	})
}

func TestCloseDeliversAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := hosts(t, Network{Delay: time.Second})
		reading := make(chan error)
		go func() {
			_, _, err := near.ReadFrom(make([]byte, 100))
			reading <- err
		}()
		_, err := near.WriteTo([]byte("the last"), far.LocalAddr())
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, near.Close())
		require.Error(t, <-reading)
		require.Error(t, near.Close())
		_, err = near.WriteTo([]byte("more"), far.LocalAddr())
		require.ErrorIs(t, err, net.ErrClosed)
		begun, buffer := time.Now(), make([]byte, 100)
		n, _, err := far.ReadFrom(buffer)
		require.NoError(t, err)
		require.Equal(t, "the last", string(buffer[:n]))
		require.Less(t, time.Since(begun), time.Second)
	})
}

// TestUnderWayIsBounded: more is lost, the rest comes in the order of its arrival.
func TestUnderWayIsBounded(t *testing.T) {
	var u underWay
	now := time.Now()
	require.Zero(t, u.next())
	for i := range maxUnderWay + 100 {
		u.add(packet{arrives: now.Add(time.Duration(i%7) * time.Second), data: []byte{byte(i)}})
	}
	require.Len(t, u.packets, maxUnderWay)
	taken := make([]packet, maxUnderWay)
	for i := range taken {
		taken[i] = u.take()
	}
	require.True(t, slices.IsSortedFunc(taken, func(a, b packet) int {
		if c := a.arrives.Compare(b.arrives); c != 0 {
			return c
		}
		return int(a.number) - int(b.number)
	}))
	require.Zero(t, u.next())
}

// TestPeerConnectionGoesThroughTheNetwork: nothing connects where everything is lost, and a clip arrives where delays,
// jitter and a limited bandwidth are in the way.
func TestPeerConnectionGoesThroughTheNetwork(t *testing.T) {
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 30, 50, 1)))
	require.NoError(t, err)
	connect := func(ctx context.Context, r *receiver, n Network) (*Publisher, error) {
		s, err := r.client().Create(ctx, liveproof.ModeCall)
		require.NoError(t, err)
		return Connect(ctx, Options{Client: r.client(), Network: &n}, s, clip)
	}
	t.Run("everything is lost", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := connect(ctx, newReceiver(t), Network{Loss: 1})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("late", func(t *testing.T) {
		r := newReceiver(t)
		p, err := connect(t.Context(), r, Network{Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond, Bandwidth: 1_000_000})
		require.NoError(t, err)
		require.NoError(t, p.Send(t.Context(), clip))
		require.Eventually(t, func() bool { return r.packets.Load() == 30 }, 10*time.Second, 5*time.Millisecond)
		require.NoError(t, p.Close(t.Context()))
	})
}
