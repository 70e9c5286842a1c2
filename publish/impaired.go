package publish

import (
	"container/heap"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/pion/transport/v5"
)

// maxUnderWay bounds the packets that are under way in one direction of a socket. It is more than what a publisher
// of 2 Mbit/s sends in the longest delay; a packet beyond it is lost.
const maxUnderWay = 4096

// impairedConn is a socket whose packets take two lines. Only ReadFrom and WriteTo are impaired, which are what ICE
// uses.
type impairedConn struct {
	transport.UDPConn
	up, down *line

	reading  sync.Mutex // one ReadFrom at a time
	received underWay   // owned by ReadFrom

	deadlines sync.Mutex
	deadline  time.Time // of ReadFrom, as its caller set it; zero: none
	nextRead  time.Time // when the next received packet arrives; zero: none is under way

	writing sync.Mutex
	sent    underWay
	closed  bool
	changed chan struct{} // sent or closed changed
	done    chan struct{} // closed when deliver has returned
}

func newImpairedConn(conn transport.UDPConn, up, down *line) *impairedConn {
	c := &impairedConn{UDPConn: conn, up: up, down: down, changed: make(chan struct{}, 1), done: make(chan struct{})}
	go c.deliver()
	return c
}

// WriteTo never waits. A packet that is lost counts as written.
func (c *impairedConn) WriteTo(p []byte, to net.Addr) (int, error) {
	now := time.Now()
	arrives, ok := c.up.carry(now, len(p))
	if !ok {
		return len(p), nil
	}
	if !arrives.After(now) {
		return c.UDPConn.WriteTo(p, to)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.sent.add(packet{arrives: arrives, data: slices.Clone(p), addr: to})
	c.wake()
	return len(p), nil
}

func (c *impairedConn) wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// deliver writes each sent packet when it arrives, until the socket is closed.
func (c *impairedConn) deliver() {
	defer close(c.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-c.changed:
		case <-timer.C:
		}
		arrived, next, closed := c.arrived(time.Now())
		for _, p := range arrived {
			_, _ = c.UDPConn.WriteTo(p.data, p.addr) // a network does not tell the sender what failed
		}
		if closed {
			return
		}
		if !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// arrived takes the sent packets that have arrived. When the socket is closed, it takes all, as a network still
// delivers what was sent before.
func (c *impairedConn) arrived(now time.Time) (packets []packet, next time.Time, closed bool) {
	c.writing.Lock()
	defer c.writing.Unlock()
	for len(c.sent.packets) > 0 && (c.closed || !c.sent.next().After(now)) {
		packets = append(packets, c.sent.take())
	}
	return packets, c.sent.next(), c.closed
}

// ReadFrom returns the next packet that has arrived.
func (c *impairedConn) ReadFrom(p []byte) (int, net.Addr, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		if next := c.received.next(); !next.IsZero() && !next.After(time.Now()) {
			got := c.received.take()
			return copy(p, got.data), got.addr, nil
		}
		if err := c.wait(c.received.next()); err != nil {
			return 0, nil, err
		}
		n, from, err := c.UDPConn.ReadFrom(p)
		now := time.Now()
		if err != nil && !c.onlyArrival(err, now) {
			return n, from, err
		}
		if err != nil {
			continue
		}
		arrives, ok := c.down.carry(now, n)
		if ok && !arrives.After(now) {
			return n, from, nil
		}
		if ok {
			c.received.add(packet{arrives: arrives, data: slices.Clone(p[:n]), addr: from})
		}
	}
}

// onlyArrival reports whether reading ended because a received packet arrives, and not by the caller's deadline.
func (c *impairedConn) onlyArrival(err error, now time.Time) bool {
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		return false
	}
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	return c.deadline.IsZero() || c.deadline.After(now)
}

// wait lets the next reading end when a packet arrives.
func (c *impairedConn) wait(next time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.nextRead = next
	return c.setDeadline()
}

// setDeadline ends reading at the caller's deadline or when a packet arrives, whichever comes first.
func (c *impairedConn) setDeadline() error {
	first := c.deadline
	if first.IsZero() || !c.nextRead.IsZero() && c.nextRead.Before(first) {
		first = c.nextRead
	}
	return c.UDPConn.SetReadDeadline(first)
}

func (c *impairedConn) SetReadDeadline(t time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.deadline = t
	return c.setDeadline()
}

// SetDeadline sets the deadline for reading, as writing never waits.
func (c *impairedConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline does nothing, as writing never waits.
func (*impairedConn) SetWriteDeadline(time.Time) error { return nil }

// Close delivers at once what is under way to the server, and closes the socket.
func (c *impairedConn) Close() error {
	c.writing.Lock()
	c.closed = true
	c.writing.Unlock()
	c.wake()
	<-c.done
	return c.UDPConn.Close()
}

// packet is under way.
type packet struct {
	arrives time.Time
	number  uint64 // orders packets that arrive at one time
	data    []byte
	addr    net.Addr // to which or from which it goes
}

// underWay holds at most maxUnderWay packets in the order of their arrival.
type underWay struct {
	packets packetHeap
	added   uint64
}

func (u *underWay) add(p packet) {
	if len(u.packets) == maxUnderWay {
		return
	}
	u.added++
	p.number = u.added
	heap.Push(&u.packets, p)
}

func (u *underWay) take() packet { return heap.Pop(&u.packets).(packet) }

// next is when the first packet arrives; zero: none is under way.
func (u *underWay) next() time.Time {
	if len(u.packets) == 0 {
		return time.Time{}
	}
	return u.packets[0].arrives
}

// packetHeap is ordered by arrival, as heap.Interface.
type packetHeap []packet

func (h packetHeap) Len() int      { return len(h) }
func (h packetHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h packetHeap) Less(i, j int) bool {
	if h[i].arrives.Equal(h[j].arrives) {
		return h[i].number < h[j].number
	}
	return h[i].arrives.Before(h[j].arrives)
}
func (h *packetHeap) Push(x any) { *h = append(*h, x.(packet)) }
func (h *packetHeap) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	(*h)[last] = packet{} // its data is garbage from now on
	*h = (*h)[:last]
	return p
}
