// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"context"
	"sync"

	"google.golang.org/grpc"
)

// Catch is a grpc.CallOption that writes the call's decision to *into: of a
// unary call when it returns, of a stream when its first message, its header or
// its end has been received. Where experiments overlay each other it is that
// of the one that chose the backend; CatchAll has the others.
//
// It works over a connection with Interceptors, or a Client; over another it
// is left as it was.
func Catch(into *Decision) grpc.CallOption {
	return catchOption{catch: func(decisions []Decision) {
		*into = decisions[0]
	}}
}

// CatchAll is as Catch, and writes all decisions of the call.
func CatchAll(into *[]Decision) grpc.CallOption {
	return catchOption{catch: func(decisions []Decision) { *into = decisions }}
}

// catchOption gets at least one decision, if but an empty one.
type catchOption struct {
	grpc.EmptyCallOption
	catch func([]Decision)
}

// Watcher collects the decisions of all calls that are made with its context:
// for calls that are made by others, where Catch cannot be given to them.
//
// All methods may be called at any time.
type Watcher struct {
	parent *Watcher

	mu sync.Mutex
	// Guarded by mu.
	decisions []Decision
}

type watcherKey struct{}

// Watch gives a context whose calls, and those of contexts made of it, the
// Watcher sees. It takes a connection with Interceptors, or a Client.
func Watch(ctx context.Context) (context.Context, *Watcher) {
	w := &Watcher{parent: watcherOf(ctx)}
	return context.WithValue(ctx, watcherKey{}, w), w
}

func watcherOf(ctx context.Context) *Watcher {
	w, _ := ctx.Value(watcherKey{}).(*Watcher)
	return w
}

// Decisions are those so far, in the order in which they became known. A call
// that no experiment took has none, unless it has a request id.
func (w *Watcher) Decisions() []Decision {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Decision(nil), w.decisions...)
}

// Of is the last decision of an experiment; false if there is none.
func (w *Watcher) Of(experiment string) (Decision, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.decisions) - 1; i >= 0; i-- {
		if w.decisions[i].Experiment == experiment {
			return w.decisions[i], true
		}
	}
	return Decision{}, false
}

// add tells them to it and to those around it.
func (w *Watcher) add(decisions []Decision) {
	for ; w != nil; w = w.parent {
		w.mu.Lock()
		w.decisions = append(w.decisions, decisions...)
		w.mu.Unlock()
	}
}
