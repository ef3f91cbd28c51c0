// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"google.golang.org/grpc/metadata"
)

// The metadata of a response of an experiment.
const (
	decisionKey   = "x-bandit-decision"
	armKey        = "x-bandit-arm"
	experimentKey = "x-bandit-experiment"
	uncountedKey  = "x-bandit-uncounted"
)

// Decision is what the router decided for one call. It can be kept as long as
// wanted and rewarded by any goroutine; to reward it in another process, hand
// its Token over and Submit a Reward for it there.
type Decision struct {
	// Experiment and Arm are empty if no experiment took the call.
	Experiment string
	Arm        string
	// Token names the decision; empty if the call is not counted.
	Token string
	// Uncounted is why the experiment does not count the call, as `holdout`.
	Uncounted string
	// RequestID is what the call had under Keys.RequestID.
	RequestID string

	rewards *Sender
}

// Counted tells whether a reward of it can count: it has a token or, where none
// was seen, a request id.
func (d Decision) Counted() bool {
	return d.Uncounted == "" && (d.Token != "" || d.RequestID != "")
}

// Reward queues the value of the experiment's reward metric. It never waits.
// See RewardMetrics.
func (d Decision) Reward(value float64) error {
	return d.RewardMetrics(map[string]float64{"": value})
}

// RewardMetric queues the value of one metric. It never waits. See
// RewardMetrics.
func (d Decision) RewardMetric(metric string, value float64) error {
	return d.RewardMetrics(map[string]float64{metric: value})
}

// RewardMetrics queues values by their metrics; an empty name is the
// experiment's reward metric. All are taken or none. It never waits: what is
// taken is sent until the router has answered, see Sender.
//
// A decision that is not counted has no use for a reward: then it is nil, and
// Stats.Uncounted grows. It fails with ErrNoDecision if no experiment took the
// call, with ErrFull if the queue is full, with ErrClosed after the sender was
// closed, with ErrInvalid for a value that is not finite, and with ErrNoSender
// if it was not caught with a Sender.
func (d Decision) RewardMetrics(values map[string]float64) error {
	if d.rewards == nil {
		if d.Experiment == "" && d.RequestID == "" {
			return ErrNoDecision
		}
		return ErrNoSender
	}
	if d.Uncounted != "" {
		d.rewards.queue.count(func(s *Stats) { s.Uncounted += uint64(len(values)) })
		return nil
	}
	if !d.Counted() {
		return d.rewards.noDecision(len(values))
	}
	rewards := make([]Reward, 0, len(values))
	for metric, value := range values {
		r := Reward{Decision: d.Token, Metric: metric, Value: value}
		if d.Token == "" {
			r.RequestID = d.RequestID
		}
		rewards = append(rewards, r)
	}
	return d.rewards.Submit(rewards...)
}

// DecisionsOf reads decisions from the metadata of a response: its header, or
// its trailer if it has no header. It is for calls without Interceptors: reward
// what it gives with Sender.Submit. Where experiments overlay each other there
// are several, first the one that chose the backend.
func DecisionsOf(md metadata.MD) []Decision {
	experiments := md.Get(experimentKey)
	if len(experiments) == 0 {
		return nil
	}
	arms, tokens, reasons := md.Get(armKey), md.Get(decisionKey), md.Get(uncountedKey)
	decisions := make([]Decision, len(experiments))
	for i, name := range experiments {
		d := Decision{Experiment: name}
		if i < len(arms) {
			d.Arm = arms[i]
		}
		// A counted experiment has a token, another a reason.
		if len(tokens) > 0 && (len(reasons) == 0 || isOf(tokens[0], name)) {
			d.Token, tokens = tokens[0], tokens[1:]
		} else if len(reasons) > 0 {
			d.Uncounted, reasons = reasons[0], reasons[1:]
		}
		decisions[i] = d
	}
	return decisions
}

// isOf tells whether the token is of the experiment.
func isOf(token, experiment string) bool {
	t, err := ParseToken(token)
	return err == nil && t.Experiment == ExperimentID(experiment)
}
