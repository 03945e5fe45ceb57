package server

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
)

// keptAlive is a provider whose apps move nothing but a packet each 15 s that keeps a
// connection alive, and its answer.
type keptAlive struct {
	*registrytest.Provider
	since time.Time
}

func (k keptAlive) Measure(context.Context, string, provider.Want) (idle.Usage, error) {
	sent := uint64(time.Since(k.since) / (15 * time.Second))
	return idle.Usage{Sent: sent, Packets: 2 * sent, Bytes: 2 * sent * idle.BarePacket, Connections: idle.UnknownConnections}, nil
}

func TestARequestThatMayLastKeepsItsAppAwakeWhileItIsSilent(t *testing.T) {
	for line, awake := range map[string]time.Duration{
		"":                                 0,
		"method POST":                      0,
		"method PUT":                       2*idleTime - time.Minute,
		"Expect: 100-continue":             2*idleTime - time.Minute,
		"Accept: text/event-stream":        6 * time.Hour,
		"Sec-WebSocket-Key: x":             6 * time.Hour,
		"Content-Type: application/grpc":   0, // calls are sent by POST
		"Accept: application/x-ndjson":     6 * time.Hour,
		"Accept: */*":                      0,
		"Accept: text/html,image/avif,*/*": 0,
	} {
		t.Run(line, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := registrytest.NewProvider(service("shop").Awake())
				s := beginBy(t, registrytest.NewStore(), p, keptAlive{p, time.Now()})
				synctest.Wait()
				if w := s.answerTo("https://shop.test/", line); w.Code != http.StatusOK {
					t.Fatalf("%d", w.Code)
				}
				time.Sleep(max(awake, idleTime-time.Second))
				if s.view("shop").State != registry.Ready {
					t.Fatalf("it is %s within %s", s.view("shop").State, awake)
				}
				if awake < 6*time.Hour {
					time.Sleep(3 * time.Minute)
					if s.view("shop").State != registry.Asleep {
						t.Errorf("it is %s", s.view("shop").State)
					}
				}
			})
		})
	}
}
