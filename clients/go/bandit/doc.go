// SPDX-License-Identifier: Apache-2.0

// Package bandit lets a service in Go call its models through Bandit Router:
// it gives calls their unit and features, catches what the router decided, and
// brings rewards back.
//
//	client, err := bandit.NewClient("127.0.0.1:8080", bandit.Options{},
//		grpc.WithTransportCredentials(insecure.NewCredentials()))
//	models := inference.NewGRPCInferenceServiceClient(client)
//
//	var decision bandit.Decision
//	answer, err := models.ModelInfer(
//		bandit.With(ctx, bandit.Unit(user)), request, bandit.Catch(&decision))
//
//	err = decision.Reward(1) // Now or hours later; it never waits.
//
// A connection that is made elsewhere takes Interceptors and a Sender instead
// of a Client. Calls that other code makes are caught with Watch.
package bandit
