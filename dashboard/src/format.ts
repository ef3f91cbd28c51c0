// SPDX-License-Identifier: Apache-2.0
// Numbers, times and words as people read them.
import {Interval, Report, RouterEvent} from './api.js';

export const kNothing = '–';

const kCount = new Intl.NumberFormat('en');
export const count = (n: number) => kCount.format(n);

// Four significant digits.
export function number(n: number | undefined): string {
  if (n === undefined || !Number.isFinite(n)) return kNothing;
  if (n !== 0 && Math.abs(n) < 1e-4) return n.toExponential(2);
  return Math.abs(n) >= 1e6 ? n.toExponential(3)
                            : String(Number(n.toPrecision(4)));
}

export function percent(fraction: number | null | undefined): string {
  if (fraction === undefined || fraction === null) return kNothing;
  return `${(100 * fraction).toFixed(1)} %`;
}

export const signedPercent = (fraction: number) =>
    `${fraction >= 0 ? '+' : '−'}${Math.abs(100 * fraction).toFixed(1)} %`;

export const range = (interval: Interval | undefined) =>
    interval ? `${number(interval.low)} to ${number(interval.high)}` : kNothing;

export function milliseconds(ms: number | null | undefined): string {
  if (ms === undefined || ms === null) return kNothing;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 100 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2)} ms`;
}

export function pValue(p: number): string {
  return p < 1e-4 ? '< 0.0001' : String(Number(p.toPrecision(2)));
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

// "14:03:05" of today, else with the day.
export function moment(time: string, now: number): string {
  const ms = Date.parse(time);
  const day = new Date(ms).toDateString();
  return day === new Date(now).toDateString()
      ? clock(ms)
      : `${new Date(ms).toLocaleDateString('en-CA')} ${clock(ms)}`;
}

// "3 s", "5 min", "2 h", "4 d".
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 2 * 3600) return `${Math.round(s / 60)} min`;
  if (s < 2 * 86400) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

// "rolled back" of rolled_back.
export const words = (name: string) => name.replaceAll('_', ' ').toLowerCase();

export function advice(next: Report['next']): string {
  switch (next?.action) {
    case 'PROMOTE':
      return `Promote ${next.arm}`;
    case 'ROLL_BACK':
      return 'Roll back';
    case 'INVESTIGATE':
      return 'Investigate';
    case 'KEEP_GOING':
      return 'Keep going';
    default:
      return 'Nothing to tell yet';
  }
}

export function verdict(split: Report['split']): string {
  switch (split?.verdict) {
    case 'SOUND':
      return `Sound: the arms got the traffic that their propensities say ` +
          `(p = ${pValue(split.p)}).`;
    case 'MISMATCH':
      return `Mismatch: ${split.worst_arm} got too ` +
          `${split.z > 0 ? 'much' : 'little'} traffic by ` +
          `${Math.abs(split.z).toFixed(1)} standard deviations ` +
          `(p ${pValue(split.p)}). Nothing else here can be believed until ` +
          `it is known why.`;
    default:
      return 'Too few decisions to tell.';
  }
}

// How an event is to be taken.
export function tone(event: RouterEvent): 'bad' | 'good' | 'plain' {
  const bad = ['ejected', 'rolled_back', 'roll_back', 'alert', 'hold',
               'not_loaded', 'degraded'];
  const good = ['active', 'reinstated', 'release', 'healed', 'promote'];
  return bad.includes(event.what) ? 'bad'
      : good.includes(event.what) ? 'good' : 'plain';
}
