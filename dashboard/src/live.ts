// SPDX-License-Identifier: Apache-2.0
// Asks the router again and again while somebody looks.
import {useEffect, useState} from 'preact/hooks';
import {EventLog, History, Refusal, Report, Sample, Session, Status,
        getEvents, getHistory, getReport, getSession,
        getStatus} from './api.js';

export interface Live {
  status?: Status;
  session?: Session;
  events?: EventLog;
  // Of the experiment that is looked at.
  history?: History;
  report?: Report;
  // Why there is no report, or none that is new; empty: there is.
  reportTrouble: string;
  // When the router last answered, in milliseconds; 0: not yet.
  answered: number;
  // Why the last attempt failed; empty: it did not.
  lost: string;
  // When the next attempt is due, in milliseconds.
  retryAt: number;
}

export const kEveryMs = 2000;
const kLongestMs = 30_000;
// Reports are work for the router and move slowly.
const kReportEveryMs = 6000;
// More than the router keeps.
const kMostSamples = 2000;

// How long to wait after so many attempts in a row that failed.
export function waitMs(failures: number): number {
  return failures === 0 ? kEveryMs
                        : Math.min(kLongestMs, kEveryMs * 2 ** (failures - 1));
}

// `more` begins where `before` ended; or is all there is, if that differs in
// its arms or metrics, or the router was started again.
export function extended(before: History | undefined, more: History): History {
  const same = before !== undefined &&
      before.experiment === more.experiment &&
      before.arms.join('\n') === more.arms.join('\n') &&
      before.metrics.join('\n') === more.metrics.join('\n');
  if (!same) return more;
  const last = before.samples.at(-1)?.time ?? '';
  const fresh: Sample[] = more.samples.filter(s => s.time > last);
  return {...more,
          samples: [...before.samples, ...fresh].slice(-kMostSamples)};
}

// What is known of `experiment` (empty: of none) and of the router.
export class Watch {
  private live: Live = {reportTrouble: '', answered: 0, lost: '', retryAt: 0};
  private failures = 0;
  private timer = 0;
  private reportDue = 0;
  private stopped = false;
  private asking = false;

  constructor(private readonly experiment: string,
              private readonly tell: (live: Live) => void) {
    document.addEventListener('visibilitychange', this.onVisible);
    void this.ask();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  // Now, rather than when it is due: everything, also the report.
  readonly hurry = () => {
    this.reportDue = 0;
    void this.ask();
  };

  private readonly onVisible = () => {
    if (!document.hidden) this.hurry();
  };

  private async ask() {
    if (this.asking || this.stopped) return;
    this.asking = true;
    clearTimeout(this.timer);
    const next: Partial<Live> = {};
    try {
      await this.askRouter(next);
      this.failures = 0;
      next.answered = Date.now();
      next.lost = '';
    } catch (error) {
      ++this.failures;
      next.lost = error instanceof Refusal && error.message
          ? error.message
          : 'the router does not answer';
    }
    this.asking = false;
    if (this.stopped) return;
    const wait = waitMs(this.failures);
    this.live = {...this.live, ...next, retryAt: Date.now() + wait};
    this.tell(this.live);
    // A page that nobody sees asks nothing until it is seen again.
    if (!document.hidden) {
      this.timer = window.setTimeout(() => void this.ask(), wait);
    }
  }

  private async askRouter(next: Partial<Live>) {
    const status = await getStatus();
    next.status = status;
    // A router that was started again has another history and session.
    const again = this.live.status !== undefined &&
        this.live.status.started !== status.started;
    if (this.live.session === undefined || again) {
      next.session = await getSession('');
    }
    next.events = await getEvents();
    if (!status.experiments.some(e => e.name === this.experiment)) {
      next.history = next.report = undefined;
      return;
    }
    const before = again ? undefined : this.live.history;
    next.history = extended(before, await this.askHistory(before));
    if (again || Date.now() >= this.reportDue) {
      this.reportDue = Date.now() + kReportEveryMs;
      try {
        next.report = await getReport(this.experiment);
        next.reportTrouble = '';
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        next.reportTrouble = error.message;
      }
    }
  }

  private async askHistory(before?: History): Promise<History> {
    try {
      return await getHistory(this.experiment, before?.samples.at(-1)?.time);
    } catch (error) {
      // Before the first sample.
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
      return {experiment: this.experiment, interval: '2s', arms: [],
              metrics: [], samples: []};
    }
  }
}

export function useLive(experiment: string): [Live, () => void] {
  const [live, setLive] =
      useState<Live>({reportTrouble: '', answered: 0, lost: '', retryAt: 0});
  const [hurry, setHurry] = useState<() => void>(() => () => {});
  useEffect(() => {
    // What is known of the router stays; of another experiment, nothing.
    setLive(now => ({...now, history: undefined, report: undefined,
                     reportTrouble: ''}));
    const watch = new Watch(experiment, update => setLive(now => ({
      ...update,
      session: update.session ?? now.session,
      status: update.status ?? now.status,
      events: update.events ?? now.events,
    })));
    setHurry(() => watch.hurry);
    return () => watch.stop();
  }, [experiment]);
  return [live, hurry];
}
