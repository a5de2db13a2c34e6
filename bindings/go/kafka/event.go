package kafka

import (
	"fmt"
	"time"
)

// Event is what comes through Producer.Events and delivery channels: *Message (a report), Error, *Stats or
// OAuthBearerTokenRefresh.
type Event interface {
	// String describes the event.
	String() string
}

// Stats is an event with statistics. There is none as long as statistics.interval.ms cannot be set.
type Stats struct{ statsJSON string }

// String gives the statistics as JSON.
func (s Stats) String() string { return s.statsJSON }

// OAuthBearerTokenRefresh asks for a token. There is none as long as SASL is not built.
type OAuthBearerTokenRefresh struct {
	// Config is the setting sasl.oauthbearer.config.
	Config string
}

// String gives the name of the event.
func (o OAuthBearerTokenRefresh) String() string { return "OAuthBearerTokenRefresh" }

// OAuthBearerToken is what a broker is shown.
type OAuthBearerToken struct {
	// TokenValue is the token itself.
	TokenValue string
	// Expiration is until when it holds.
	Expiration time.Time
	// Principal whose token it is.
	Principal string
	// Extensions to send with it.
	Extensions map[string]string
}

// LogEvent is a line of the log.
type LogEvent struct {
	// Name of the producer.
	Name string
	// Tag says what part of the library writes.
	Tag string
	// Message is the line.
	Message string
	// Level in syslog's numbers: the lower, the worse.
	Level int
	// Timestamp is when the line was written.
	Timestamp time.Time
}

// String gives all of it.
func (l LogEvent) String() string {
	return fmt.Sprintf("[%v][%s][%s][%d]%s", l.Timestamp.Format(time.RFC3339), l.Name, l.Tag, l.Level, l.Message)
}
