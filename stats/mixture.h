// SPDX-License-Identifier: Apache-2.0
// Mixture martingales: what makes a look at every moment harmless.
//
// A sum S of noise with variance process V gives for each lambda a
// supermartingale exp(lambda S - psi(lambda) V) that starts at 1. A mixture
// over lambda is one too, so the chance that it ever reaches 1 / alpha is at
// most alpha (Ville). Its logarithm is the evidence against "only noise".
//
// Source: Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric,
// nonasymptotic confidence sequences, Annals of Statistics 49 (2021), section
// 3.
#ifndef BANDIT_STATS_MIXTURE_H_
#define BANDIT_STATS_MIXTURE_H_

namespace bandit::stats {

// The spread of the mixture that makes a two-sided boundary tightest at
// variance `v`, for level `alpha`; for a one-sided boundary give 2 alpha. It
// must be chosen before the data are seen. REQUIRES: v > 0, 0 < alpha < 1.
double BestRho(double v, double alpha);

// Gaussian (or sub-Gaussian) noise. REQUIRES below: v >= 0, rho > 0.
//
// Evidence that S is not noise, on either side.
double LogNormalMixture(double s, double v, double rho);
// How far |S| may go before the evidence reaches 1 / alpha.
double NormalRadius(double v, double rho, double alpha);
// Evidence that S is above noise: half the mixture, lambda > 0.
double LogOneSidedNormalMixture(double s, double v, double rho);
// How far S may go up. A closed bound of the half mixture's, which is at most
// 2 % less for alpha up to 0.05.
double OneSidedNormalRadius(double v, double rho, double alpha);
// The level at which OneSidedNormalRadius is `s`; in (0, 1], 1 for s <= 0.
double OneSidedNormalLevel(double s, double v, double rho);

// Noise whose steps are at most `c` up, `v` the sum of their conditional
// variances (sub-Poisson, by Bennett's inequality): evidence that S is above
// noise, without any asymptotics. -infinity for sums no such noise could leave.
// REQUIRES: c > 0.
double LogGammaPoissonMixture(double s, double v, double rho, double c);

// ln of the mean of two e-values, which is one too.
double LogMean(double log_a, double log_b);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_MIXTURE_H_
