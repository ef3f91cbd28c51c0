// SPDX-License-Identifier: Apache-2.0
// The router's JSON: bandit.v1's messages as Protobuf's JSON has them, field
// names as in the .proto files. 64-bit numbers come as text: see num().

export type Big = string | number;

export interface Lifecycle {
  state: string;
  arm: string;
  changed: string;
  who: string;
  why: string;
  ramp_share: number;
  ramp_stage: number;
  ramp_stages: number;
  ramp_elapsed?: string;
  ramp_lasts?: string;
  held: string;
  pending?: {act: string; arm: string; who: string; why: string; asked: string};
}

export interface ArmStatus {
  name: string;
  backend: string;
  probability: number;
  decisions: Big;
  codes: Record<string, Big>;
  in_flight: Big;
  reward_count: number;
  reward_mean: number;
  latency?: {p50: string; p95: string; p99: string};
  state: string;
  state_since?: string;
  state_until?: string;
  state_reason: string;
}

export interface Guardrail {
  arm: string;
  rule: string;
  action: string;
  broken: boolean;
  evidence: number;
  trips: Big;
  reason: string;
}

export interface Experiment {
  name: string;
  epoch: number;
  policy: string;
  reward_metric: string;
  decisions: Big;
  arms: ArmStatus[];
  metrics: {name: string; outcomes: Record<string, Big>}[];
  held: boolean;
  rolled_back: string;
  guardrails: Guardrail[];
  lifecycle?: Lifecycle;
  alike: boolean;
  uncounted: Record<string, Big>;
  overlay: boolean;
  layer: string;
}

export interface Status {
  version: string;
  started: string;
  learned: string;
  experiments: Experiment[];
  degraded: string;
}

export interface Interval {
  low: number;
  high: number;
}

export interface Effect {
  value?: number;
  fixed?: Interval;
  anytime?: Interval;
  p_adjusted?: number;
  fixed_method: string;
  anytime_method: string;
  reason: string;
}

export interface ArmMetric {
  arm: string;
  count: Big;
  rewards: Big;
  mean: Effect;
  difference?: Effect;
  lift?: Effect;
}

export interface Report {
  experiment: string;
  as_of: string;
  adaptive: boolean;
  unit: string;
  reward_metric: string;
  control: string;
  decisions: Big;
  alpha: number;
  arms: {
    name: string;
    decisions: Big;
    share: number;
    expected_share: number;
    probability_best?: number;
    finished: Big;
    errors: Big;
    latency: {q: number; value: number; anytime?: Interval}[];
  }[];
  metrics: {
    name: string;
    role: string;
    cost: boolean;
    binary: boolean;
    arms: ArmMetric[];
  }[];
  split?: {
    verdict: string;
    p: number;
    method: string;
    worst_arm: string;
    z: number;
  };
  next?: {action: string; arm: string; why: string[]};
}

export interface ArmSample {
  probability: number;
  decisions: Big;
  reward_count: number;
  reward_mean: number;
  finished: Big;
  errors: Big;
  p50_ms?: number;
  p95_ms?: number;
  p99_ms?: number;
}

export interface OutcomeSample {
  accepted: Big;
  duplicate: Big;
  late: Big;
  unknown: Big;
  rejected: Big;
}

export interface Sample {
  time: string;
  epoch: number;
  arms: ArmSample[];
  metrics: OutcomeSample[];
}

export interface History {
  experiment: string;
  interval: string;
  arms: string[];
  metrics: string[];
  samples: Sample[];
}

export interface RouterEvent {
  time: string;
  source: string;
  what: string;
  experiment: string;
  arm: string;
  rule: string;
  who: string;
  proven: boolean;
  detail: string;
}

export interface EventLog {
  events: RouterEvent[];
  audit_trouble: string;
}

export interface Session {
  version: string;
  acts: boolean;
  who: string;
}

export interface ActOrder {
  act: string;
  experiment: string;
  arm: string;
  why: string;
}

export const num = (big: Big | undefined): number => Number(big ?? 0);
// "1.5s" of Protobuf's JSON.
export const seconds = (duration: string | undefined): number =>
    duration ? parseFloat(duration) : 0;

// What the router answered instead of what was asked for.
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string,
              message: string) {
    super(message);
  }
}

const kPatienceMs = 8000;

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const answer = await fetch(`api/v1/${path}`, {
    ...init,
    cache: 'no-cache',
    credentials: 'omit',
    signal: AbortSignal.timeout(kPatienceMs),
  });
  const text = await answer.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refusal(answer.status, '', text.trim().slice(0, 300));
  }
  if (!answer.ok) {
    const told = json as {code?: string; message?: string};
    throw new Refusal(answer.status, told.code ?? '', told.message ?? text);
  }
  return json as T;
}

const of = (name: string) => `experiment=${encodeURIComponent(name)}`;
const bearer = (token: string): HeadersInit =>
    token ? {authorization: `Bearer ${token}`} : {};

export const getStatus = () => ask<Status>('status');
export const getReport = (name: string) => ask<Report>(`report?${of(name)}`);
export const getHistory = (name: string, since?: string) => ask<History>(
    `history?${of(name)}` +
    (since ? `&since=${encodeURIComponent(since)}` : ''));
export const getEvents = () => ask<EventLog>('events');
export const getSession = (token: string) =>
    ask<Session>('session', {headers: bearer(token)});
export const act = (order: ActOrder, token: string) =>
    ask<{lifecycle?: Lifecycle; who: string}>('act', {
      method: 'POST',
      headers: {...bearer(token), 'content-type': 'application/json'},
      body: JSON.stringify(order),
    });
