// SPDX-License-Identifier: Apache-2.0

package bandit_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"bandit-router.example/go/bandit"
	"bandit-router.example/go/banditv1"
)

// patience is for what must come about; nothing waits for it to pass.
const patience = 30 * time.Second

// fakeRouter answers rewards in memory as a router does: once each. A script
// takes its calls one by one before that.
type fakeRouter struct {
	banditv1.UnimplementedFeedbackServer
	listener *bufconn.Listener

	mu sync.Mutex
	// Guarded by mu.
	script  []answer
	counted map[string]float64
	calls   int
}

// answer is nil for the usual one. `usual` gives it.
type answer func(ctx context.Context, request *banditv1.RecordRequest,
	usual func() *banditv1.RecordResponse) (*banditv1.RecordResponse, error)

func newFakeRouter(t *testing.T, script ...answer) *fakeRouter {
	f := &fakeRouter{
		listener: bufconn.Listen(1 << 20), script: script, counted: map[string]float64{},
	}
	server := grpc.NewServer()
	banditv1.RegisterFeedbackServer(server, f)
	go server.Serve(f.listener)
	t.Cleanup(server.Stop)
	return f
}

func (f *fakeRouter) dial(t *testing.T) *grpc.ClientConn {
	conn, err := grpc.NewClient("passthrough:///fake",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return f.listener.DialContext(ctx)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// sender has no patience, that tests need none; its log is the test's.
func (f *fakeRouter) sender(t *testing.T, options bandit.SenderOptions) *bandit.Sender {
	if options.Logf == nil {
		options.Logf = t.Logf
	}
	if options.Linger == 0 {
		options.Linger = -1
	}
	if options.Backoff == (bandit.Backoff{}) {
		options.Backoff = bandit.Backoff{Initial: time.Millisecond, Maximum: 10 * time.Millisecond}
	}
	s, err := bandit.NewSender(f.dial(t), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		s.Close(over)
	})
	return s
}

func (f *fakeRouter) Record(ctx context.Context, request *banditv1.RecordRequest) (*banditv1.RecordResponse, error) {
	f.mu.Lock()
	f.calls++
	var next answer
	if len(f.script) > 0 {
		next, f.script = f.script[0], f.script[1:]
	}
	f.mu.Unlock()
	usual := func() *banditv1.RecordResponse { return f.record(request) }
	if next == nil {
		return usual(), nil
	}
	return next(ctx, request, usual)
}

func (f *fakeRouter) record(request *banditv1.RecordRequest) *banditv1.RecordResponse {
	f.mu.Lock()
	defer f.mu.Unlock()
	response := &banditv1.RecordResponse{}
	for _, r := range request.Rewards {
		key := r.Decision + "/" + r.RequestId + "/" + r.Metric
		outcome := bandit.Accepted
		if _, known := f.counted[key]; known {
			outcome = bandit.Duplicate
		} else {
			f.counted[key] = r.Value
		}
		response.Outcomes = append(response.Outcomes, outcome)
	}
	return response
}

// rewarded are the values by "token/request id/metric".
func (f *fakeRouter) rewarded() map[string]float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	values := map[string]float64{}
	for key, value := range f.counted {
		values[key] = value
	}
	return values
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
