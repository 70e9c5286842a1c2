package rtc

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// loggers turns pion's log into debug records, because clients could otherwise
// fill the log. Metrics count what matters.
type loggers struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l loggers) NewLogger(scope string) logging.LeveledLogger {
	return pionLogger{l.log.With("pion", scope)}
}

type pionLogger struct{ log *slog.Logger }

func (p pionLogger) write(format string, args ...any) {
	if p.log.Enabled(context.Background(), slog.LevelDebug) {
		p.log.Debug(fmt.Sprintf(format, args...))
	}
}

func (p pionLogger) Trace(string)                      {}
func (p pionLogger) Tracef(string, ...any)             {}
func (p pionLogger) Debug(string)                      {}
func (p pionLogger) Debugf(string, ...any)             {}
func (p pionLogger) Info(msg string)                   { p.write("%s", msg) }
func (p pionLogger) Infof(format string, args ...any)  { p.write(format, args...) }
func (p pionLogger) Warn(msg string)                   { p.write("%s", msg) }
func (p pionLogger) Warnf(format string, args ...any)  { p.write(format, args...) }
func (p pionLogger) Error(msg string)                  { p.write("%s", msg) }
func (p pionLogger) Errorf(format string, args ...any) { p.write(format, args...) }
