// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bandit-router.example/go/banditv1"
)

// statusMends say what to do about a status where its message does not.
var statusMends = map[codes.Code]string{
	codes.Unavailable: "is the router running, and is this the address of its `listen` or " +
		"`control`?",
	codes.DeadlineExceeded:  "the router was reached too late, or its state is slow to write",
	codes.ResourceExhausted: "the router's queue of rewards is full (`learner.queue`)",
	codes.Unimplemented: "what answers there is not the router: give the address of its `listen` " +
		"or `control`",
	codes.Unauthenticated:  "give the credentials that the port asks for",
	codes.PermissionDenied: "rewards are not served at this port for this caller: see `control_tls`",
}

// deliveryError is of a call whose rewards may or may not have been counted.
type deliveryError struct {
	cause error
	code  codes.Code
}

func (e *deliveryError) Error() string {
	text := e.cause.Error()
	if mend, known := statusMends[e.code]; known {
		text += " (" + mend + ")"
	}
	return text
}

func (e *deliveryError) Unwrap() error { return e.cause }

// tooMuch: a smaller batch may be taken.
func (e *deliveryError) tooMuch() bool {
	return e.code == codes.ResourceExhausted || e.code == codes.DeadlineExceeded
}

// deliver makes one call, which is answered with an outcome for each reward. It
// fails with a deliveryError.
func deliver(ctx context.Context, feedback banditv1.FeedbackClient, batch []entry) (*banditv1.RecordResponse, *deliveryError) {
	request := &banditv1.RecordRequest{Rewards: make([]*banditv1.Reward, len(batch))}
	for i := range batch {
		request.Rewards[i] = batch[i].reward.proto()
	}
	response, err := feedback.Record(ctx, request)
	if err != nil {
		return nil, &deliveryError{err, status.Code(err)}
	}
	if got := len(response.GetOutcomes()); got != len(batch) {
		return nil, &deliveryError{fmt.Errorf("%d rewards were answered with %d outcomes: is it a "+
			"router?", len(batch), got), codes.Internal}
	}
	return response, nil
}
