// SPDX-License-Identifier: Apache-2.0

// Ranker is a service that asks a model through the router, and tells it later
// whether its user has clicked. The README says how to run it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"bandit-router.example/go/bandit"
	"bandit-router.example/go/internal/inference"
)

func main() {
	router := flag.String("router", "127.0.0.1:8080", "the router's `listen`")
	requests := flag.Int("n", 1000, "how many requests to send")
	seed := flag.Int64("seed", 1, "of the users and their clicks")
	flag.Parse()
	if *requests < 4 {
		log.Fatalf("-n %d: expected at least 4", *requests)
	}
	if err := run(*router, *requests, rand.New(rand.NewSource(*seed)), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run sends requests and rewards, and prints the split of each quarter.
func run(router string, requests int, random *rand.Rand, out io.Writer) error {
	client, err := bandit.NewClient(router,
		bandit.Options{Keys: bandit.Keys{Unit: "x-user-id"}},
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	asked := ask(client, requests, random, out)
	// What is not delivered by then is in the error.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	closed := client.Close(ctx)
	if asked != nil {
		return asked
	}
	if closed != nil {
		return closed
	}
	stats := client.Rewards().Stats()
	fmt.Fprintf(out, "%d rewards: %d counted, %d refused\n", stats.Submitted, stats.Accepted,
		stats.Late+stats.Unknown+stats.Rejected)
	return nil
}

func ask(client *bandit.Client, requests int, random *rand.Rand, out io.Writer) error {
	models := inference.NewGRPCInferenceServiceClient(client)
	arms := map[string]int{}
	for i := 1; i <= requests; i++ {
		arm, err := serve(models, fmt.Sprintf("user-%d", i), random)
		if err != nil {
			return err
		}
		arms[arm]++
		if i%(requests/4) == 0 {
			fmt.Fprintf(out, "%d requests: control %d, candidate %d\n", i, arms["control"],
				arms["candidate"])
			arms = map[string]int{}
			// The router learns from what has arrived.
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			err := client.Rewards().Flush(ctx)
			cancel()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// serve is one request of a user; it gives the arm that he got.
func serve(models inference.GRPCInferenceServiceClient, user string, random *rand.Rand) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ctx = bandit.With(ctx, bandit.Unit(user))
	var decision bandit.Decision
	answer, err := models.ModelInfer(ctx,
		&inference.ModelInferRequest{ModelName: "ranker"}, bandit.Catch(&decision))
	if err != nil {
		return "", err
	}
	// A real service keeps the decision, or its Token, until it knows.
	return decision.Arm, decision.Reward(clicks(answer.ModelVersion, random))
}

// clicks is 1 if the user likes the answer: three in ten do so with version 1,
// six in ten with version 2.
func clicks(version string, random *rand.Rand) float64 {
	likes := 0.3
	if version == "2" {
		likes = 0.6
	}
	if random.Float64() < likes {
		return 1
	}
	return 0
}
