// SPDX-License-Identifier: Apache-2.0

package bandit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"bandit-router.example/go/bandit"
	"bandit-router.example/go/internal/inference"
	"bandit-router.example/go/internal/routertest"
)

const plainModels = `
learner: {tick: 10ms}
backends: {a: {address: '%s'}, b: {address: '%s'}}
experiments:
  - name: ranker
    match: {service: inference.GRPCInferenceService}
    unit: {metadata: x-user-id}
    arms: [{name: control, backend: a}, {name: candidate, backend: b}]
    policy: {name: %s}
    reward: {metric: click}
    metrics:
      - {name: click, kind: binary, window: %s}
      - {name: spend, kind: continuous, min: 0}
    context:
      features:
        - {name: device, metadata: x-device, categories: [ios, web]}
        - {name: prompt_tokens, metadata: x-prompt-tokens}
`

// lab is a router before two models, and a client of it.
type lab struct {
	a, b   *routertest.Model
	router *routertest.Router
	client *bandit.Client
	stub   inference.GRPCInferenceServiceClient
	// refused are what the sender was told.
	refused chan string
}

func newLab(t *testing.T, config func(a, b string) string) *lab {
	t.Helper()
	l := &lab{a: routertest.Serve(t, "a"), b: routertest.Serve(t, "b"), refused: make(chan string, 100)}
	l.router = routertest.Start(t, "state: 'memory:'\n"+config(l.a.Address, l.b.Address))
	l.connect(t, l.router.Listen)
	return l
}

func (l *lab) connect(t *testing.T, address string) {
	t.Helper()
	client, err := bandit.NewClient(address, bandit.Options{
		Keys: bandit.Keys{Unit: "x-user-id", RequestID: "x-request-id"},
		Sender: bandit.SenderOptions{
			Linger: time.Millisecond, Logf: t.Logf,
			Backoff:   bandit.Backoff{Initial: time.Millisecond, Maximum: 50 * time.Millisecond},
			OnRefused: func(_ bandit.Reward, o bandit.Outcome, _ string) { l.refused <- o.String() },
		},
	}, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(over()) })
	l.client, l.stub = client, inference.NewGRPCInferenceServiceClient(client)
}

func ranker(policy, window string) func(a, b string) string {
	return func(a, b string) string { return fmt.Sprintf(plainModels, a, b, policy, window) }
}

// infer makes one call, and gives its decision.
func (l *lab) infer(t *testing.T, ctx context.Context) (bandit.Decision, string) {
	t.Helper()
	var decision bandit.Decision
	answer, err := l.stub.ModelInfer(ctx, &inference.ModelInferRequest{ModelName: "m"}, bandit.Catch(&decision))
	if err != nil {
		t.Fatal(err)
	}
	return decision, answer.ModelName
}

func (l *lab) flush(t *testing.T) bandit.Stats {
	t.Helper()
	if err := l.client.Rewards().Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	return l.client.Rewards().Stats()
}

func (l *lab) accepted(t *testing.T) float64 {
	return l.router.Metric(t, `bandit_rewards_total{experiment="ranker",metric="click",outcome="ACCEPTED"}`)
}

func TestADecisionIsCaughtAndRewarded(t *testing.T) {
	l := newLab(t, ranker("linucb", "30m"))
	ctx := bandit.With(soon(t), bandit.Unit("user-42"), bandit.Text("device", "ios"),
		bandit.Number("prompt_tokens", 57.5))
	decision, served := l.infer(t, ctx)
	if decision.Experiment != "ranker" || served != map[string]string{"control": "a", "candidate": "b"}[decision.Arm] {
		t.Fatalf("%+v, served by %s", decision, served)
	}
	token, err := bandit.ParseToken(decision.Token)
	if err != nil {
		t.Fatal(err)
	}
	if token.Experiment != bandit.ExperimentID("ranker") ||
		token.Unit != bandit.HashUnit(bandit.ForArm, "ranker", "user-42") || token.OwnUnit ||
		time.Since(token.Time) > time.Hour || fmt.Sprint(token.Features) != "[1 1 0 57.5]" {
		t.Fatalf("%+v", token)
	}
	if err := decision.RewardMetrics(map[string]float64{"": 1, "spend": 12.5}); err != nil {
		t.Fatal(err)
	}
	if s := l.flush(t); s.Accepted != 2 {
		t.Fatalf("%+v", s)
	}
	if got := l.accepted(t); got != 1 {
		t.Fatal("the router has counted", got)
	}
}

func TestAUnitKeepsItsArm(t *testing.T) {
	l := newLab(t, ranker("fixed_split", "30m"))
	seen := map[string]bool{}
	for user := 0; user < 20; user++ {
		ctx := bandit.With(soon(t), bandit.Unit(fmt.Sprint("user-", user)))
		first, _ := l.infer(t, ctx)
		second, _ := l.infer(t, ctx)
		if first.Arm != second.Arm || first.Token == second.Token {
			t.Fatalf("%+v, then %+v", first, second)
		}
		seen[first.Arm] = true
	}
	if len(seen) != 2 {
		t.Fatal("twenty users got", seen)
	}
}

// On a response without messages the metadata come with the end.
func TestAFailedCallHasADecisionToo(t *testing.T) {
	l := newLab(t, ranker("fixed_split", "30m"))
	var decision bandit.Decision
	_, err := l.stub.ModelInfer(soon(t), &inference.ModelInferRequest{ModelName: "broken"}, bandit.Catch(&decision))
	if status.Code(err) != codes.FailedPrecondition {
		t.Fatal(err)
	}
	if decision.Experiment != "ranker" || decision.Token == "" {
		t.Fatalf("%+v", decision)
	}
	if err := decision.Reward(0); err != nil {
		t.Fatal(err)
	}
	if s := l.flush(t); s.Accepted != 1 {
		t.Fatalf("%+v", s)
	}
}

func TestAStreamsDecisionComesWithItsFirstMessage(t *testing.T) {
	l := newLab(t, ranker("fixed_split", "30m"))
	var decision bandit.Decision
	var all []bandit.Decision
	ctx := bandit.With(soon(t), bandit.Unit("user-1"))
	stream, err := l.stub.ModelStreamInfer(ctx, bandit.Catch(&decision), bandit.CatchAll(&all))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 3; i++ {
		if err := stream.Send(&inference.ModelInferRequest{ModelName: "m"}); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		if decision.Token == "" || len(all) != 1 || all[0] != decision {
			t.Fatalf("after message %d: %+v, %+v", i, decision, all)
		}
	}
	stream.CloseSend()
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if md := l.requestsOf("x-user-id"); len(md) != 1 || md[0] != "user-1" {
		t.Fatal("the model saw the unit", md)
	}
	if err := decision.Reward(1); err != nil {
		t.Fatal(err)
	}
	if s := l.flush(t); s.Accepted != 1 {
		t.Fatalf("%+v", s)
	}
}

func TestAStreamThatFailsAtOnceHasADecision(t *testing.T) {
	l := newLab(t, ranker("fixed_split", "30m"))
	for _, header := range []bool{false, true} {
		var decision bandit.Decision
		stream, err := l.stub.ModelStreamInfer(soon(t), bandit.Catch(&decision))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&inference.ModelInferRequest{ModelName: "broken"}); err != nil {
			t.Fatal(err)
		}
		if header {
			stream.Header()
		}
		if _, err := stream.Recv(); status.Code(err) != codes.FailedPrecondition {
			t.Fatal(err)
		}
		if decision.Token == "" {
			t.Fatalf("header asked for %v: %+v", header, decision)
		}
	}
}

// requestsOf are the values that the models saw under a key.
func (l *lab) requestsOf(key string) []string {
	var values []string
	for _, m := range []*routertest.Model{l.a, l.b} {
		for _, md := range m.Requests() {
			values = append(values, md.Get(key)...)
		}
	}
	return values
}

func TestWatchersSeeCallsThatOthersMake(t *testing.T) {
	l := newLab(t, ranker("fixed_split", "30m"))
	ctx, outer := bandit.Watch(soon(t))
	l.infer(t, ctx)
	ctx, inner := bandit.Watch(ctx)
	last, _ := l.infer(t, ctx)
	if len(outer.Decisions()) != 2 || len(inner.Decisions()) != 1 {
		t.Fatalf("%+v, %+v", outer.Decisions(), inner.Decisions())
	}
	if got, found := outer.Of("ranker"); !found || got != last {
		t.Fatalf("%+v", got)
	}
	if _, found := outer.Of("other"); found {
		t.Fatal("there is no other")
	}
}

func TestOverlaysHaveADecisionEach(t *testing.T) {
	l := newLab(t, func(a, b string) string {
		return ranker("fixed_split", "30m")(a, b) + `
  - name: prompt
    overlay: true
    match: {service: inference.GRPCInferenceService}
    arms: [{name: short, metadata: {x-prompt: short}}, {name: long, metadata: {x-prompt: long}}]
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
    forced_arms: {}
  - name: depth
    overlay: true
    match: {service: inference.GRPCInferenceService}
    arms: [{name: flat, metadata: {x-depth: "1"}}, {name: deep, metadata: {x-depth: "2"}}]
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
`
	})
	var all []bandit.Decision
	ctx := metadata.AppendToOutgoingContext(soon(t), "x-bandit-force-arm", "prompt/long")
	_, err := l.stub.ModelInfer(ctx, &inference.ModelInferRequest{}, bandit.CatchAll(&all))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || all[0].Experiment != "ranker" || all[1].Experiment != "prompt" ||
		all[1].Arm != "long" || all[1].Uncounted != "forced" || all[1].Token != "" ||
		all[2].Experiment != "depth" {
		t.Fatalf("%+v", all)
	}
	for _, d := range all {
		if err := d.RewardMetric("click", 1); err != nil {
			t.Fatal(err)
		}
	}
	if s := l.flush(t); s.Accepted != 2 || s.Uncounted != 1 {
		t.Fatalf("%+v", s)
	}
}

func TestRefusalsAreTold(t *testing.T) {
	l := newLab(t, ranker("fixed_split", "30m"))
	decision, _ := l.infer(t, soon(t))
	rewards := l.client.Rewards()
	forged := []byte(decision.Token)
	forged[len(forged)-5] ^= 1
	for _, c := range []struct {
		reward bandit.Reward
		want   string
	}{
		{bandit.Reward{Decision: string(forged), Value: 1}, "REJECTED"},
		{bandit.Reward{Decision: decision.Token, Metric: "other", Value: 1}, "REJECTED"},
		{bandit.Reward{Decision: decision.Token, Metric: "spend", Value: -1}, "REJECTED"},
		{bandit.Reward{RequestID: "id", Value: 1}, "REJECTED"},
	} {
		if err := rewards.Submit(c.reward); err != nil {
			t.Fatal(err)
		}
		if got := <-l.refused; got != c.want {
			t.Errorf("%+v was answered %s", c.reward, got)
		}
	}
	for i := 0; i < 2; i++ {
		if err := decision.Reward(1); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-l.refused; got != "DUPLICATE" {
		t.Error("the second was answered", got)
	}
}

func TestALateRewardIsTold(t *testing.T) {
	l := newLab(t, ranker("fixed_split", "1s"))
	decision, _ := l.infer(t, soon(t))
	token, err := bandit.ParseToken(decision.Token)
	if err != nil {
		t.Fatal(err)
	}
	// Traffic goes on until the shortest window there is has passed.
	for time.Since(token.Time) < 1100*time.Millisecond {
		l.infer(t, soon(t))
	}
	if err := decision.Reward(1); err != nil {
		t.Fatal(err)
	}
	if got := <-l.refused; got != "LATE" {
		t.Fatal(got)
	}
}

func TestARequestIDStandsInForTheToken(t *testing.T) {
	l := newLab(t, func(a, b string) string {
		return "join: {metadata: x-request-id, window: 10m}\n" + ranker("fixed_split", "30m")(a, b)
	})
	ctx := bandit.With(soon(t), bandit.RequestID("request-1"))
	decision, _ := l.infer(t, ctx)
	if decision.RequestID != "request-1" || decision.Token == "" {
		t.Fatalf("%+v", decision)
	}
	err := l.client.Rewards().Submit(bandit.Reward{RequestID: "request-1", Value: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s := l.flush(t); s.Accepted != 1 {
		t.Fatalf("%+v", s)
	}
	// The same decision, by its token.
	if err := decision.Reward(1); err != nil {
		t.Fatal(err)
	}
	if got := <-l.refused; got != "DUPLICATE" {
		t.Fatal(got)
	}
}

func TestACallOfNoExperimentHasNothingToReward(t *testing.T) {
	l := newLab(t, func(a, b string) string {
		return strings.Replace(ranker("fixed_split", "30m")(a, b), "GRPCInferenceService}",
			"Other}", 1) + fmt.Sprintf("default_backend: a\n")
	})
	decision, served := l.infer(t, soon(t))
	if served != "a" || decision.Experiment != "" || decision.Counted() {
		t.Fatalf("%+v by %s", decision, served)
	}
	if err := decision.Reward(1); !errors.Is(err, bandit.ErrNoDecision) {
		t.Fatal(err)
	}
	if s := l.client.Rewards().Stats(); s.NoDecision != 1 {
		t.Fatalf("%+v", s)
	}
}

// Rewards wait while the router is killed and comes back, some of them in the
// middle of a call: each is counted once.
func TestRewardsOutliveACrashOfTheRouter(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.db")
	relay := routertest.NewRelay(t)
	l := &lab{a: routertest.Serve(t, "a"), b: routertest.Serve(t, "b"), refused: make(chan string, 1000)}
	start := func() {
		l.router = routertest.Start(t, fmt.Sprintf("state: 'sqlite://%s'\n", state)+
			ranker("fixed_split", "30m")(l.a.Address, l.b.Address))
		relay.To(l.router.Listen)
	}
	start()
	l.connect(t, relay.Address)
	const rounds, each = 3, 300
	var decisions []bandit.Decision
	for i := 0; i < rounds*each; i++ {
		decision, _ := l.infer(t, soon(t))
		decisions = append(decisions, decision)
	}
	for round := 0; round < rounds; round++ {
		// Killed wherever the sender is with the first half; the second comes
		// while nobody is there.
		rewardAll(t, decisions[round*each:round*each+each/2])
		l.router.Kill(t)
		relay.To("")
		rewardAll(t, decisions[round*each+each/2:(round+1)*each])
		failures := l.client.Rewards().Stats().Failures
		eventually(t, func() bool { return l.client.Rewards().Stats().Failures > failures })
		start()
	}
	s := l.flush(t)
	if s.Accepted+s.Duplicate != rounds*each || len(l.refused) != 0 {
		t.Fatalf("%+v, %d refused", s, len(l.refused))
	}
	// A duplicate is of a reward that was counted before the crash: a second of
	// each is one, too.
	rewardAll(t, decisions)
	if again := l.flush(t); again.Accepted != s.Accepted || again.Duplicate != s.Duplicate+rounds*each {
		t.Fatalf("%+v, then %+v", s, again)
	}
}

func rewardAll(t *testing.T, decisions []bandit.Decision) {
	t.Helper()
	for _, d := range decisions {
		if err := d.Reward(1); err != nil {
			t.Fatal(err)
		}
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	looks := time.NewTicker(time.Millisecond)
	defer looks.Stop()
	for end := time.Now().Add(patience); !done(); <-looks.C {
		if time.Now().After(end) {
			t.Fatalf("it did not come about within %v", patience)
		}
	}
}
