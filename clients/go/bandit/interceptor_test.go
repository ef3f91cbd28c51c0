// SPDX-License-Identifier: Apache-2.0

package bandit_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"bandit-router.example/go/bandit"
)

// call goes through the interceptors to nobody: it gives the metadata that
// would have been sent. The response has `header`.
func call(t *testing.T, keys bandit.Keys, ctx context.Context, method string, header metadata.MD, options ...grpc.CallOption) (metadata.MD, error) {
	t.Helper()
	interceptors, err := bandit.NewInterceptors(keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sent metadata.MD
	err = interceptors.Unary(ctx, method, nil, nil, nil,
		func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, options ...grpc.CallOption) error {
			sent, _ = metadata.FromOutgoingContext(ctx)
			for _, o := range options {
				if into, ok := o.(grpc.HeaderCallOption); ok {
					*into.HeaderAddr = header
				}
			}
			return nil
		}, options...)
	return sent, err
}

const infer = "/inference.GRPCInferenceService/ModelInfer"

func TestAttributesTravelUnderTheirKeys(t *testing.T) {
	ctx := bandit.With(context.Background(), bandit.Unit("somebody"), bandit.Text("device", "ios"))
	ctx = bandit.With(ctx, bandit.Unit("user-42"), bandit.Number("prompt_tokens", 1e21),
		bandit.Number("x-age", 0.1), bandit.Flag("paid", true), bandit.Flag("new", false),
		bandit.Text("empty", ""), bandit.RequestID("r-1"))
	sent, err := call(t, bandit.Keys{Unit: "x-user-id", RequestID: "x-request-id"}, ctx, infer, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := metadata.Pairs("x-user-id", "user-42", "x-device", "ios", "x-prompt-tokens", "1e+21",
		"x-age", "0.1", "x-paid", "1", "x-new", "0", "x-request-id", "r-1")
	if len(sent) != len(want) {
		t.Fatalf("%v, expected %v", sent, want)
	}
	for key := range want {
		if len(sent[key]) != 1 || sent[key][0] != want[key][0] {
			t.Errorf("%s: %v, expected %v", key, sent[key], want[key])
		}
	}
}

func TestMetadataSetByHandStay(t *testing.T) {
	ctx := metadata.AppendToOutgoingContext(context.Background(), "X-Bandit-Unit", "by hand", "other", "one")
	ctx = bandit.With(ctx, bandit.Unit("user-42"))
	sent, err := call(t, bandit.Keys{}, ctx, infer, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := sent.Get(bandit.DefaultUnitKey); len(got) != 1 || got[0] != "by hand" || len(sent) != 2 {
		t.Fatalf("%v", sent)
	}
}

func TestTheRoutersOwnServicesGetNothing(t *testing.T) {
	ctx := bandit.With(context.Background(), bandit.Unit("user-42"))
	sent, err := call(t, bandit.Keys{}, ctx, "/bandit.v1.Feedback/Record", nil)
	if err != nil || len(sent) != 0 {
		t.Fatal(sent, err)
	}
}

func TestACallWhoseAttributesCannotBeSentFails(t *testing.T) {
	for _, c := range []struct {
		attr bandit.Attr
		keys bandit.Keys
		want string
	}{
		{bandit.Unit("caf\u00e9"), bandit.Keys{}, "the unit"},
		{bandit.Unit("a\nb"), bandit.Keys{}, "printable ASCII"},
		{bandit.Text("device", " ios"), bandit.Keys{}, `the feature "device"`},
		{bandit.Number("tokens", math.NaN()), bandit.Keys{}, "finite"},
		{bandit.Number("tokens", math.Inf(1)), bandit.Keys{}, "missing"},
		{bandit.RequestID("r-1"), bandit.Keys{}, "Keys.RequestID"},
		{bandit.Text("gr\u00f6\u00dfe", "1"), bandit.Keys{}, "no metadata key"},
		{bandit.Text("a", "1"), bandit.Keys{Feature: func(string) string { return "a-bin" }}, "no metadata key"},
	} {
		ctx := bandit.With(context.Background(), c.attr)
		_, err := call(t, c.keys, ctx, infer, nil)
		if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.attr, err)
		}
		// Later ones replace it.
		if c.want == "the unit" {
			if _, err := call(t, c.keys, bandit.With(ctx, bandit.Unit("u")), infer, nil); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestKeysThatAreNoneAreRefused(t *testing.T) {
	for _, keys := range []bandit.Keys{
		{Unit: "X-User"}, {Unit: "user id"}, {RequestID: "id-bin"}, {RequestID: "grpc-id"},
	} {
		if _, err := bandit.NewInterceptors(keys, nil); err == nil {
			t.Errorf("%+v was taken", keys)
		}
		_, err := bandit.NewClient("127.0.0.1:1", bandit.Options{Keys: keys},
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err == nil {
			t.Errorf("%+v was taken by a client", keys)
		}
	}
	if _, err := bandit.NewClient("127.0.0.1:1", bandit.Options{}); err == nil {
		t.Error("a client without credentials was made")
	}
}

func TestACallWritesItsDecisionEveryTime(t *testing.T) {
	header := metadata.Pairs("x-bandit-experiment", "ranker", "x-bandit-arm", "control", "x-bandit-decision", "token")
	var decision bandit.Decision
	var all []bandit.Decision
	if _, err := call(t, bandit.Keys{}, context.Background(), infer, header, bandit.Catch(&decision), bandit.CatchAll(&all)); err != nil {
		t.Fatal(err)
	}
	if decision.Token != "token" || len(all) != 1 || !decision.Counted() {
		t.Fatalf("%+v, %+v", decision, all)
	}
	if err := decision.Reward(1); !errors.Is(err, bandit.ErrNoSender) {
		t.Fatal(err)
	}
	// A call that no experiment took leaves nothing of the one before.
	if _, err := call(t, bandit.Keys{}, context.Background(), infer, nil, bandit.Catch(&decision)); err != nil {
		t.Fatal(err)
	}
	if decision != (bandit.Decision{}) {
		t.Fatalf("%+v", decision)
	}
}

// The call may have been decided though its answer never came.
func TestACallWithoutAnAnswerKeepsItsRequestID(t *testing.T) {
	keys := bandit.Keys{RequestID: "x-request-id"}
	for _, ctx := range []context.Context{
		bandit.With(context.Background(), bandit.RequestID("r-1")),
		metadata.AppendToOutgoingContext(context.Background(), "x-request-id", "r-1"),
	} {
		ctx, watcher := bandit.Watch(ctx)
		var decision bandit.Decision
		if _, err := call(t, keys, ctx, infer, nil, bandit.Catch(&decision)); err != nil {
			t.Fatal(err)
		}
		if decision.RequestID != "r-1" || !decision.Counted() || len(watcher.Decisions()) != 1 {
			t.Fatalf("%+v, %+v", decision, watcher.Decisions())
		}
	}
}
