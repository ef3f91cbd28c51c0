// SPDX-License-Identifier: Apache-2.0

package bandit_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bandit-router.example/go/bandit"
	"bandit-router.example/go/banditv1"
)

func reward(token string) bandit.Reward {
	return bandit.Reward{Decision: token, Value: 1}
}

// refuse fails a call, and counts nothing.
func refuse(code codes.Code) answer {
	return func(context.Context, *banditv1.RecordRequest, func() *banditv1.RecordResponse) (*banditv1.RecordResponse, error) {
		return nil, status.Error(code, "not now")
	}
}

// lose counts the rewards, and fails all the same.
func lose(_ context.Context, _ *banditv1.RecordRequest, usual func() *banditv1.RecordResponse) (*banditv1.RecordResponse, error) {
	usual()
	return nil, status.Error(codes.Unavailable, "the connection broke")
}

// gate holds a call up until it is opened, or the caller gives up.
type gate struct{ entered, open chan struct{} }

func newGate() gate { return gate{make(chan struct{}), make(chan struct{})} }

func (g gate) answer(ctx context.Context, _ *banditv1.RecordRequest, usual func() *banditv1.RecordResponse) (*banditv1.RecordResponse, error) {
	close(g.entered)
	select {
	case <-g.open:
		return usual(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestRewardsArriveInBatches(t *testing.T) {
	router := newFakeRouter(t)
	sender := router.sender(t, bandit.SenderOptions{MaxBatch: 100, Linger: time.Hour})
	for i := 0; i < 250; i++ {
		if err := sender.Submit(bandit.Reward{Decision: fmt.Sprint(i), Metric: "click", Value: float64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := sender.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	values := router.rewarded()
	for i := 0; i < 250; i++ {
		if got, known := values[fmt.Sprintf("%d//click", i)]; !known || got != float64(i) {
			t.Fatalf("reward %d arrived as %v (%v)", i, got, known)
		}
	}
	want := bandit.Stats{Submitted: 250, Accepted: 250, Requests: 3}
	if got := sender.Stats(); got != want {
		t.Fatalf("%+v, expected %+v", got, want)
	}
}

func TestWhatFailsIsSentAgainUntilItIsAnswered(t *testing.T) {
	for _, code := range []codes.Code{
		codes.Unavailable, codes.ResourceExhausted, codes.Aborted, codes.Unimplemented,
		codes.PermissionDenied, codes.Internal,
	} {
		router := newFakeRouter(t, refuse(code), refuse(code), refuse(code))
		sender := router.sender(t, bandit.SenderOptions{})
		if err := sender.Submit(reward("a"), reward("b")); err != nil {
			t.Fatal(err)
		}
		if err := sender.Flush(soon(t)); err != nil {
			t.Fatal(code, err)
		}
		if s := sender.Stats(); s.Accepted != 2 || s.Failures != 3 {
			t.Fatalf("%v: %+v", code, s)
		}
	}
}

// An answer that was lost on its way makes a duplicate, which is no news.
func TestALostAnswerRefusesNothing(t *testing.T) {
	router := newFakeRouter(t, lose)
	var refused []bandit.Reward
	sender := router.sender(t, bandit.SenderOptions{
		OnRefused: func(r bandit.Reward, _ bandit.Outcome, _ string) { refused = append(refused, r) },
	})
	if err := sender.Submit(reward("a")); err != nil {
		t.Fatal(err)
	}
	if err := sender.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	// A second one of the same decision is refused by right.
	if err := sender.Submit(reward("a")); err != nil {
		t.Fatal(err)
	}
	if err := sender.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
	if len(refused) != 1 {
		t.Fatal("refused were", refused)
	}
	want := bandit.Stats{Submitted: 2, Duplicate: 2, Requests: 2, Failures: 1}
	if got := sender.Stats(); got != want {
		t.Fatalf("%+v, expected %+v", got, want)
	}
}

func TestRefusedRewardsAreToldWithTheirOutcomes(t *testing.T) {
	outcomes := []bandit.Outcome{
		bandit.Accepted, bandit.Late, bandit.Unknown, bandit.Rejected, bandit.Duplicate, 77,
	}
	router := newFakeRouter(t, func(context.Context, *banditv1.RecordRequest, func() *banditv1.RecordResponse) (*banditv1.RecordResponse, error) {
		refusals := []*banditv1.Refusal{{Reward: 3, Why: "no metric d"}}
		return &banditv1.RecordResponse{Outcomes: outcomes, Refusals: refusals}, nil
	})
	var told, whys, logged []string
	sender := router.sender(t, bandit.SenderOptions{
		OnRefused: func(r bandit.Reward, o bandit.Outcome, why string) {
			told, whys = append(told, fmt.Sprint(r.Decision, "=", o)), append(whys, why)
		},
		Logf: func(format string, args ...any) { logged = append(logged, fmt.Sprintf(format, args...)) },
	})
	if err := sender.Submit(reward("a"), reward("b"), reward("c"), reward("d"), reward("e"), reward("f")); err != nil {
		t.Fatal(err)
	}
	if err := sender.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told, " "); got != "b=LATE c=UNKNOWN d=REJECTED e=DUPLICATE f=77" {
		t.Fatal("told were", got)
	}
	for i, want := range []string{"metrics.window", "join", "no metric d", "counted before", "newer"} {
		if !strings.Contains(whys[i], want) {
			t.Errorf("why: %q, expected %q in it", whys[i], want)
		}
	}
	if len(logged) != 4 || logged[2] != "bandit: 1 rewards were answered REJECTED, the last of them: no metric d" {
		t.Fatalf("logged were %q", logged)
	}
	want := bandit.Stats{
		Submitted: 6, Accepted: 1, Late: 1, Unknown: 1, Rejected: 1, Duplicate: 1,
		OtherOutcome: 1, Requests: 1,
	}
	if got := sender.Stats(); got != want {
		t.Fatalf("%+v, expected %+v", got, want)
	}
}

func TestAFullQueueSaysSoAndWhy(t *testing.T) {
	router := newFakeRouter(t, refuse(codes.Unavailable))
	failed := make(chan string, 10)
	sender := router.sender(t, bandit.SenderOptions{
		Capacity: 3, Backoff: bandit.Backoff{Initial: time.Hour},
		Logf: func(format string, args ...any) { failed <- fmt.Sprintf(format, args...) },
	})
	if err := sender.Submit(reward("a"), reward("b")); err != nil {
		t.Fatal(err)
	}
	if line := <-failed; !strings.Contains(line, "1 calls failed") {
		t.Fatal(line)
	}
	err := sender.Submit(reward("c"), reward("d"))
	if !errors.Is(err, bandit.ErrFull) || !strings.Contains(err.Error(), "not now") {
		t.Fatal("too many:", err)
	}
	if err := sender.Submit(reward("c")); err != nil {
		t.Fatal("one has room:", err)
	}
	// A flush does not wait for the hour to pass.
	if err := sender.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	if s := sender.Stats(); s.Full != 2 || s.Accepted != 3 {
		t.Fatalf("%+v", s)
	}
}

func TestWhatIsNoRewardIsNotTaken(t *testing.T) {
	sender := newFakeRouter(t).sender(t, bandit.SenderOptions{})
	for _, r := range []bandit.Reward{
		{Decision: "a", Value: math.NaN()}, {Decision: "a", Value: math.Inf(-1)}, {Value: 1},
		{Decision: "a", Metric: "\xff"}, {Decision: strings.Repeat("a", 20_000)},
	} {
		if err := sender.Submit(reward("good"), r); !errors.Is(err, bandit.ErrInvalid) {
			t.Errorf("%.40v: %v", r, err)
		}
	}
	if s := sender.Stats(); s.Invalid != 10 || s.Submitted != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestAFlushThatRunsOutOfTimeNamesWhatIsLeft(t *testing.T) {
	held := newGate()
	router := newFakeRouter(t, held.answer)
	sender := router.sender(t, bandit.SenderOptions{MaxBatch: 1})
	if err := sender.Submit(reward("a"), reward("b")); err != nil {
		t.Fatal(err)
	}
	<-held.entered
	var left *bandit.UndeliveredError
	if err := sender.Flush(over()); !errors.As(err, &left) || !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if len(left.Rewards) != 2 || left.Rewards[0].Decision != "a" {
		t.Fatalf("left are %v", left.Rewards)
	}
	close(held.open)
	if err := sender.Flush(soon(t)); err != nil {
		t.Fatal("they are tried on:", err)
	}
}

func TestCloseGivesBackWhatItCouldNotDeliver(t *testing.T) {
	held := newGate()
	router := newFakeRouter(t, held.answer)
	sender := router.sender(t, bandit.SenderOptions{MaxBatch: 1})
	if err := sender.Submit(reward("a"), reward("b")); err != nil {
		t.Fatal(err)
	}
	<-held.entered
	flushed := make(chan error)
	go func() { flushed <- sender.Flush(soon(t)) }()
	var left *bandit.UndeliveredError
	if err := sender.Close(over()); !errors.As(err, &left) || len(left.Rewards) != 2 {
		t.Fatal(err)
	}
	// Who flushed meanwhile either learns it too, or came after.
	if err := <-flushed; err != nil && !errors.Is(err, bandit.ErrClosed) {
		t.Fatal(err)
	}
	if err := sender.Submit(reward("c")); !errors.Is(err, bandit.ErrClosed) {
		t.Fatal(err)
	}
	if err := sender.Close(soon(t)); err != nil {
		t.Fatal("a second close:", err)
	}
	s := sender.Stats()
	if s.Undelivered != 2 || s.Pending != 0 || s.Closed != 1 {
		t.Fatalf("%+v", s)
	}
	// To hand them to another sender is safe.
	next := router.sender(t, bandit.SenderOptions{})
	if err := next.Submit(left.Rewards...); err != nil {
		t.Fatal(err)
	}
	if err := next.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
	if len(router.rewarded()) != 2 {
		t.Fatal(router.rewarded())
	}
}

func TestAnAnswerOfAnotherLengthIsNone(t *testing.T) {
	router := newFakeRouter(t, func(context.Context, *banditv1.RecordRequest, func() *banditv1.RecordResponse) (*banditv1.RecordResponse, error) {
		return &banditv1.RecordResponse{}, nil
	})
	sender := router.sender(t, bandit.SenderOptions{})
	if err := sender.Submit(reward("a")); err != nil {
		t.Fatal(err)
	}
	if err := sender.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	if s := sender.Stats(); s.Failures != 1 || s.Accepted != 1 {
		t.Fatalf("%+v", s)
	}
}

// A callback may submit: what is refused may be sent elsewhere, say.
func TestACallbackMaySubmit(t *testing.T) {
	router := newFakeRouter(t)
	var sender *bandit.Sender
	ready := make(chan struct{})
	sender = router.sender(t, bandit.SenderOptions{OnRefused: func(r bandit.Reward, _ bandit.Outcome, _ string) {
		<-ready
		r.Metric = "again"
		if err := sender.Submit(r); err != nil {
			t.Error(err)
		}
	}})
	close(ready)
	for i := 0; i < 2; i++ {
		if err := sender.Submit(reward("a")); err != nil {
			t.Fatal(err)
		}
	}
	for len(router.rewarded()) < 2 {
		if err := sender.Flush(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// Many goroutines, a router that fails now and then and loses answers: in the
// end each reward was counted once, and the counts add up.
func TestNothingIsLostOrCountedTwiceUnderLoad(t *testing.T) {
	const goroutines, each = 8, 2_000
	script := []answer{}
	for i := 0; i < 20; i++ {
		script = append(script, refuse(codes.ResourceExhausted), nil, lose, nil, nil)
	}
	router := newFakeRouter(t, script...)
	sender := router.sender(t, bandit.SenderOptions{Capacity: 1_000, MaxBatch: 50})
	var wait sync.WaitGroup
	for g := 0; g < goroutines; g++ {
		wait.Add(1)
		go func(g int) {
			defer wait.Done()
			for i := 0; i < each; {
				err := sender.Submit(reward(fmt.Sprint(g, "-", i)))
				switch {
				case err == nil:
					i++
				case !errors.Is(err, bandit.ErrFull):
					t.Error(err)
					return
				default:
					if err := sender.Flush(soon(t)); err != nil {
						t.Error(err)
						return
					}
				}
			}
		}(g)
	}
	wait.Wait()
	if err := sender.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
	if got := len(router.rewarded()); got != goroutines*each {
		t.Fatalf("%d were counted, of %d", got, goroutines*each)
	}
	s := sender.Stats()
	if s.Submitted != goroutines*each || s.Accepted+s.Duplicate != s.Submitted || s.Pending != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	conn := newFakeRouter(t).dial(t)
	for _, o := range []bandit.SenderOptions{
		{Capacity: -1}, {MaxBatch: -1}, {Timeout: -1}, {Backoff: bandit.Backoff{Maximum: -1}},
	} {
		if _, err := bandit.NewSender(conn, o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
