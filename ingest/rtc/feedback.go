package rtc

import (
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
)

// feedbackFactory makes what answers a sender's packets: negative acknowledgements (RFC 4585),
// receiver reports (RFC 3550) and transport-wide congestion feedback for its rate control.
type feedbackFactory struct {
	losses  interceptor.Factory
	reports []interceptor.Factory
}

func newFeedbackFactory(cfg Config, loggers logging.LoggerFactory) (f feedbackFactory, err error) {
	f.losses, err = nack.NewGeneratorInterceptor(nack.GeneratorInterval(cfg.NACKInterval),
		nack.GeneratorMaxNacksPerPacket(10), nack.WithGeneratorLoggerFactory(loggers))
	if err != nil {
		return f, err
	}
	reports, err := report.NewReceiverInterceptor(report.WithReceiverLoggerFactory(loggers))
	if err != nil {
		return f, err
	}
	congestion, err := twcc.NewSenderInterceptor(twcc.WithLoggerFactory(loggers))
	if err != nil {
		return f, err
	}
	f.reports = []interceptor.Factory{reports, congestion}
	return f, nil
}

// feedback of one peer. Its streams are for one goroutine.
type feedback struct {
	losses, reports interceptor.Interceptor
	control         interceptor.RTCPReader
}

// newFeedback begins to report through write, until close.
func (f feedbackFactory) newFeedback(write func([]rtcp.Packet) error) (*feedback, error) {
	losses, err := f.losses.NewInterceptor("")
	if err != nil {
		return nil, err
	}
	var chain []interceptor.Interceptor
	for _, factory := range f.reports {
		i, err := factory.NewInterceptor("")
		if err != nil {
			return nil, err
		}
		chain = append(chain, i)
	}
	b := &feedback{losses: losses, reports: interceptor.NewChain(chain)}
	writer := interceptor.RTCPWriterFunc(func(packets []rtcp.Packet, _ interceptor.Attributes) (int, error) {
		return 0, write(packets)
	})
	b.losses.BindRTCPWriter(writer)
	b.reports.BindRTCPWriter(writer)
	b.control = b.reports.BindRTCPReader(interceptor.RTCPReaderFunc(received))
	return b, nil
}

// close waits for the goroutines.
func (b *feedback) close() {
	_ = b.losses.Close()
	_ = b.reports.Close()
}

// received is the end of a chain of readers: the packet is in the buffer.
func received(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
	return len(b), a, nil
}

// sentStream is one stream as its sender is told of it.
type sentStream struct {
	feedback   *feedback
	info       *interceptor.StreamInfo
	reader     interceptor.RTPReader // reports
	asking     interceptor.RTPReader // reports and asks for lost packets; nil: it does not ask
	attributes interceptor.Attributes
}

func (b *feedback) stream(ssrc uint32, n *negotiated) *sentStream {
	info := &interceptor.StreamInfo{SSRC: ssrc, ClockRate: clockRate, RTPHeaderExtensions: n.extensions}
	if n.losses {
		info.RTCPFeedback = []interceptor.RTCPFeedback{{Type: "nack"}}
	}
	s := &sentStream{feedback: b, info: info, attributes: interceptor.Attributes{}}
	s.reader = b.reports.BindRemoteStream(info, interceptor.RTPReaderFunc(received))
	return s
}

// read notes a packet that came; an error says that it is malformed.
func (s *sentStream) read(packet []byte) error {
	clear(s.attributes)
	reader := s.asking
	if reader == nil {
		reader = s.reader
	}
	_, _, err := reader.Read(packet, s.attributes)
	return err
}

// ask switches negative acknowledgements on or off: only for a stream that is used are
// retransmissions worth their bytes.
func (s *sentStream) ask(on bool) {
	switch {
	case on && s.asking == nil:
		s.asking = s.feedback.losses.BindRemoteStream(s.info, s.reader)
	case !on && s.asking != nil:
		s.feedback.losses.UnbindRemoteStream(s.info)
		s.asking = nil
	}
}
