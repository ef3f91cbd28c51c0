// SPDX-License-Identifier: Apache-2.0
// From the history's samples to the lines of charts: pure functions.
import {History, OutcomeSample, Sample, num} from './api.js';

// Null where there is nothing to show.
export type Line = (number | null)[];

export interface Plot {
  // Unix time in seconds, ascending.
  times: number[];
  // One line a name, each as long as `times`.
  names: string[];
  lines: Line[];
}

export const kOutcomes: (keyof OutcomeSample)[] =
    ['accepted', 'duplicate', 'late', 'unknown', 'rejected'];

const unix = (sample: Sample) => Date.parse(sample.time) / 1000;

// Those of the last `span` seconds; 0: all.
export function within(samples: Sample[], span: number): Sample[] {
  const last = samples.at(-1);
  if (span <= 0 || last === undefined) return samples;
  const from = unix(last) - span;
  return samples.filter(sample => unix(sample) >= from);
}

function byArm(history: History, samples: Sample[],
               value: (sample: Sample, arm: number) => number | null): Plot {
  return {
    times: samples.map(unix),
    names: history.arms,
    lines: history.arms.map((_, a) => samples.map(s => value(s, a))),
  };
}

export function shares(history: History, samples: Sample[]): Plot {
  return byArm(history, samples, (s, a) => s.arms[a]?.probability ?? null);
}

export function rewardMeans(history: History, samples: Sample[]): Plot {
  return byArm(history, samples, (s, a) => {
    const arm = s.arms[a];
    return arm && arm.reward_count > 0 ? arm.reward_mean : null;
  });
}

export function latencies(history: History, samples: Sample[],
                          quantile: 'p50_ms' | 'p95_ms' | 'p99_ms'): Plot {
  return byArm(history, samples, (s, a) => s.arms[a]?.[quantile] ?? null);
}

// A counter's growth between two samples; null where it began anew.
function growth(now: number, before: number): number | null {
  return now >= before ? now - before : null;
}

// Failed calls as a share of those that ended, over the last `smooth` samples:
// a share of two calls says little.
export function errorShares(history: History, samples: Sample[],
                            smooth = 5): Plot {
  return {
    times: samples.map(unix),
    names: history.arms,
    lines: history.arms.map((_, a) => samples.map((sample, i) => {
      const before = samples[Math.max(0, i - smooth)];
      const from = before?.arms[a], to = sample.arms[a];
      if (i === 0 || !from || !to) return null;
      const finished = growth(num(to.finished), num(from.finished));
      const errors = growth(num(to.errors), num(from.errors));
      return finished && errors !== null ? errors / finished : null;
    })),
  };
}

// Rewards a second by outcome, of all metrics; outcomes that never came are
// left out.
export function outcomeRates(samples: Sample[], smooth = 5): Plot {
  const total = (sample: Sample, outcome: keyof OutcomeSample) =>
      sample.metrics.reduce((sum, metric) => sum + num(metric[outcome]), 0);
  const names = kOutcomes.filter(
      outcome => samples.some(s => total(s, outcome) > 0));
  return {
    times: samples.map(unix),
    names,
    lines: names.map(outcome => samples.map((sample, i) => {
      const before = samples[Math.max(0, i - smooth)];
      if (i === 0 || !before) return null;
      const grown = growth(total(sample, outcome), total(before, outcome));
      const passed = unix(sample) - unix(before);
      return grown === null || passed <= 0 ? null : grown / passed;
    })),
  };
}

// Whether there is anything to draw.
export const isEmpty = (plot: Plot) =>
    plot.times.length < 2 ||
    plot.lines.every(line => line.every(value => value === null));

// At most `most` rows, evenly, the newest among them: for tables.
export function thinned(plot: Plot, most: number): number[] {
  const count = plot.times.length;
  if (count <= most) return plot.times.map((_, i) => i);
  const rows: number[] = [];
  for (let i = 0; i < most; ++i) {
    rows.push(count - 1 - Math.round(i * (count - 1) / (most - 1)));
  }
  return rows.reverse();
}
