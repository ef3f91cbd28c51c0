// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"bandit-router.example/go/banditv1"
)

// SenderOptions: the zero value is a good one.
type SenderOptions struct {
	// Capacity is how many rewards may wait or be under way; 0: 10,000.
	Capacity int
	// MaxBatch is how many go in one call; 0: 500.
	MaxBatch int
	// Linger is how long the first of a batch waits for others; 0: 50 ms, below
	// 0: not at all.
	Linger time.Duration
	// Timeout is that of one call; 0: 10 s.
	Timeout time.Duration
	Backoff Backoff

	// OnRefused gets what the router does not count: Late, Unknown, Rejected,
	// an outcome of a newer router, or a Duplicate of another reward; and why,
	// in the router's words where it says so (it does of 16 in a call). It is
	// called by the sender's goroutine, one at a time: it may Submit, but
	// must not Flush or Close, and what it takes holds up the rewards behind.
	OnRefused func(r Reward, o Outcome, why string)
	// Logf gets a line when rewards are refused, not taken, or not delivered,
	// for each of these at most one a minute; nil: log.Printf.
	Logf func(format string, args ...any)
}

func (o SenderOptions) complete() (SenderOptions, error) {
	set := func(value *int, standard int) {
		if *value == 0 {
			*value = standard
		}
	}
	set(&o.Capacity, 10_000)
	set(&o.MaxBatch, 500)
	if o.Linger == 0 {
		o.Linger = 50 * time.Millisecond
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Logf == nil {
		o.Logf = log.Printf
	}
	if o.Capacity < 0 || o.MaxBatch < 0 || o.Timeout < 0 {
		return o, fmt.Errorf("bandit: SenderOptions: Capacity %d, MaxBatch %d, Timeout %v: none may "+
			"be below 0", o.Capacity, o.MaxBatch, o.Timeout)
	}
	var err error
	o.Backoff, err = o.Backoff.complete()
	return o, err
}

// Sender sends rewards in batches, from a goroutine of its own, until they are
// answered. A router counts a reward once, however often it comes, so what
// failed is simply sent again. Nothing is lost in silence: at the door Submit
// says so, in the end Close does.
//
// All methods may be called at any time, by any goroutine.
type Sender struct {
	options  SenderOptions
	conn     grpc.ClientConnInterface
	feedback banditv1.FeedbackClient
	queue    *queue
	log      *throttle

	ctx     context.Context // Ends when what is left is given up.
	cancel  context.CancelFunc
	stopped chan struct{} // Closed by the goroutine at its end.
	failure atomic.Value  // deliveryFailure: why rewards wait.
}

// deliveryFailure is the failure of the last call, or nil.
type deliveryFailure struct{ err error }

// NewSender makes one that sends over conn, a connection to the `listen` or the
// `control` of a router; Close leaves it open. It fails if an option is out of
// its range.
func NewSender(conn grpc.ClientConnInterface, options SenderOptions) (*Sender, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	s := &Sender{
		options:  options,
		conn:     conn,
		feedback: banditv1.NewFeedbackClient(conn),
		queue:    newQueue(options.Capacity, options.MaxBatch, options.Linger),
		log:      newThrottle(options.Logf, time.Now),
		stopped:  make(chan struct{}),
	}
	s.failure.Store(deliveryFailure{})
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run(rand.New(rand.NewSource(time.Now().UnixNano())))
	return s, nil
}

// Submit queues all of the rewards, or none. It never waits. It fails with
// ErrFull, ErrClosed or ErrInvalid.
func (s *Sender) Submit(rewards ...Reward) error {
	for _, r := range rewards {
		if err := r.check(); err != nil {
			s.queue.count(func(st *Stats) { st.Invalid += uint64(len(rewards)) })
			return err
		}
	}
	err := s.queue.put(rewards, time.Now())
	if errors.Is(err, ErrClosed) {
		s.log.say("closed", len(rewards), "rewards came after the sender was closed, and were not taken")
	} else if err != nil {
		if last := s.lastFailure(); last != nil {
			err = fmt.Errorf("%w; the last call failed: %v", err, last)
		}
		s.log.say("full", len(rewards), "rewards were not taken: %s", unprefixed(err))
	}
	return err
}

func unprefixed(err error) string { return strings.TrimPrefix(err.Error(), "bandit: ") }

func (s *Sender) noDecision(rewards int) error {
	s.queue.count(func(st *Stats) { st.NoDecision += uint64(rewards) })
	s.log.say("no decision", rewards, "rewards were not taken: %s", unprefixed(ErrNoDecision))
	return ErrNoDecision
}

// Stats are the counts so far.
func (s *Sender) Stats() Stats { return s.queue.snapshot() }

// Flush waits until all that was submitted before has an outcome, or ctx ends.
// Then it fails with an *UndeliveredError; what that names is still tried.
func (s *Sender) Flush(ctx context.Context) error {
	w := s.queue.flush()
	select {
	case <-w.done:
		if len(w.lost) > 0 {
			return &UndeliveredError{Rewards: w.lost, Failure: s.lastFailure(), cause: ErrClosed}
		}
		return nil
	case <-ctx.Done():
	}
	if left := s.queue.leave(w); len(left) > 0 {
		return &UndeliveredError{Rewards: left, Failure: s.lastFailure(), cause: ctx.Err()}
	}
	return nil
}

// Close takes no more rewards, waits as Flush does, and gives up what is left.
// Then it fails with an *UndeliveredError; rewards that were under way may have
// been counted, and to submit them to another sender is safe. A second call
// does nothing.
func (s *Sender) Close(ctx context.Context) error {
	if !s.queue.close() {
		return nil
	}
	defer s.cancel()
	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
	}
	left := s.queue.abandon()
	if len(left) == 0 {
		return nil
	}
	err := &UndeliveredError{Rewards: left, Failure: s.lastFailure(), cause: ctx.Err()}
	s.options.Logf("%v", err)
	return err
}

func (s *Sender) lastFailure() error {
	return s.failure.Load().(deliveryFailure).err
}

// --- the goroutine

func (s *Sender) run(random *rand.Rand) {
	defer close(s.stopped)
	failures := 0
	for {
		batch := s.nextBatch()
		if batch == nil {
			return
		}
		response, err := s.deliver(batch)
		if err == nil {
			failures = 0
			s.answered(batch, response)
			continue
		}
		failures++
		s.failed(err, s.options.Backoff.wait(failures, random.Float64()))
	}
}

// nextBatch waits for one; nil: there is none any more.
func (s *Sender) nextBatch() []entry {
	for {
		batch, wait, over := s.queue.next(time.Now())
		if over || batch != nil {
			return batch
		}
		if wait < 0 {
			<-s.queue.wake
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-s.queue.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (s *Sender) deliver(batch []entry) (*banditv1.RecordResponse, *deliveryError) {
	ctx, cancel := context.WithTimeout(s.ctx, s.options.Timeout)
	defer cancel()
	return deliver(ctx, s.feedback, batch)
}

func (s *Sender) answered(batch []entry, response *banditv1.RecordResponse) {
	// Read before they may be gone.
	refused := refusals(batch, response)
	if !s.queue.settle(response.GetOutcomes()) {
		return // Close has given them up.
	}
	if s.lastFailure() != nil {
		s.failure.Store(deliveryFailure{})
		s.options.Logf("bandit: rewards are delivered again")
	}
	for _, r := range refused {
		if r.outcome != Duplicate {
			s.log.say(r.outcome.String(), 1, "rewards were answered %v, the last of them: %s",
				r.outcome, r.why)
		}
		if s.options.OnRefused != nil {
			s.options.OnRefused(r.reward, r.outcome, r.why)
		}
	}
}

type refusal struct {
	reward  Reward
	outcome Outcome
	why     string
}

// refusals are the rewards that do not count. One that was sent before may be
// the duplicate of itself.
func refusals(batch []entry, response *banditv1.RecordResponse) []refusal {
	whys := make(map[int]string, len(response.GetRefusals()))
	for _, r := range response.GetRefusals() {
		whys[int(r.GetReward())] = r.GetWhy()
	}
	var refused []refusal
	for i, outcome := range response.GetOutcomes() {
		if outcome == Accepted || (outcome == Duplicate && batch[i].tried) {
			continue
		}
		why := whys[i]
		if why == "" {
			why = usualWhy(outcome)
		}
		refused = append(refused, refusal{batch[i].reward, outcome, why})
	}
	return refused
}

// failed waits before the next try, less if somebody flushes or closes.
func (s *Sender) failed(err *deliveryError, wait time.Duration) {
	s.failure.Store(deliveryFailure{err})
	// A note of before this failure is no reason to hurry.
	select {
	case <-s.queue.hurry:
	default:
	}
	s.queue.giveBack(err.tooMuch())
	if s.ctx.Err() != nil {
		return
	}
	s.log.say("failed", 1, "calls failed, their rewards wait: %v", err)
	if s.queue.awaited() && wait > awaitedWait {
		wait = awaitedWait
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.queue.hurry:
	case <-s.ctx.Done():
	}
	// gRPC by itself waits up to two minutes before it connects again.
	if c, ok := s.conn.(interface{ ResetConnectBackoff() }); ok {
		c.ResetConnectBackoff()
	}
}

// awaitedWait is the longest between two tries while somebody waits for them.
const awaitedWait = time.Second

// UndeliveredError is of rewards that have no outcome yet.
type UndeliveredError struct {
	// Rewards in the order in which they were submitted.
	Rewards []Reward
	// Failure is that of the last call of the router; nil if it did not fail.
	Failure error

	cause error
}

func (e *UndeliveredError) Error() string {
	text := fmt.Sprintf("bandit: %d rewards were not delivered: %v", len(e.Rewards), e.cause)
	if e.Failure != nil {
		text += fmt.Sprintf("; the last call failed: %v", e.Failure)
	}
	return text
}

// Unwrap gives the context's error, or ErrClosed if a Close gave them up while
// Flush waited.
func (e *UndeliveredError) Unwrap() error { return e.cause }
