// SPDX-License-Identifier: Apache-2.0
// The page: what is looked at, and what is said above all of it.
import {render} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import {Operator, TokenDialog} from './acts.js';
import {ExperimentPage} from './experiment.js';
import {clock, span} from './format.js';
import {ListPage, hrefOf} from './list.js';
import {Live, useLive} from './live.js';
import {useTheme} from './theme.js';

// "#/e/NAME"; empty: the list.
function asked(): string {
  const match = /^#\/e\/(.+)$/.exec(location.hash);
  try {
    return match ? decodeURIComponent(match[1]!) : '';
  } catch {
    return '';
  }
}

function useAsked(): string {
  const [name, setName] = useState(asked);
  useEffect(() => {
    const follow = () => {
      setName(asked());
      scrollTo(0, 0);
      // Who cannot see the page change hears of it.
      document.getElementById('main')?.focus();
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return name;
}

// Milliseconds; once a second.
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Banners({live, now, hurry}: {
  live: Live;
  now: number;
  hurry: () => void;
}) {
  return <div role="alert">
    {live.lost && <p class="banner bad" data-testid="lost">
      <span><b>Connection lost:</b> {live.lost}.{' '}
        {live.answered > 0
            ? `What you see is as of ${clock(live.answered)}. ` : ''}
        Trying again in {span((live.retryAt - now) / 1000)}.</span>
      <button type="button" onClick={hurry}>Try now</button>
    </p>}
    {live.status?.degraded && !live.lost && <p class="banner wait"
                                               data-testid="degraded">
      <span><b>Degraded:</b> {live.status.degraded}. Requests are routed by the
        last snapshot; nothing new is learned.</span>
    </p>}
  </div>;
}

function App() {
  const name = useAsked();
  const [live, hurry] = useLive(name);
  const [theme, toggleTheme] = useTheme();
  const [operator, setOperator] = useState<Operator>();
  const [asking, setAsking] = useState(false);
  const now = useNow();
  const experiments = live.status?.experiments ?? [];
  const experiment = experiments.find(e => e.name === name);

  useEffect(() => {
    document.title = name ? `${name} · Bandit Router` : 'Bandit Router';
  }, [name]);

  const state = live.lost ? 'lost' : live.answered ? 'live' : 'connecting';
  return <>
    <a class="skip" href="#main" onClick={event => {
      // The address has the experiment; it is not to be replaced.
      event.preventDefault();
      document.getElementById('main')?.focus();
    }}>Skip to the content</a>
    <header>
      <a class="brand" href="#/">Bandit Router</a>
      <nav aria-label="Experiments">
        <a href="#/" aria-current={name === '' ? 'page' : undefined}>All</a>
        {experiments.map(e => <a key={e.name} href={hrefOf(e.name)}
            aria-current={e.name === name ? 'page' : undefined}>{e.name}</a>)}
      </nav>
      <span class={`live ${state}`} data-testid="live">{state}</span>
      {operator
          ? <button type="button" onClick={() => setOperator(undefined)}>
              Forget the token</button>
          : live.session?.acts && <button type="button"
                onClick={() => setAsking(true)}>Token</button>}
      <button type="button" onClick={toggleTheme} aria-pressed={theme === 'dark'}
              data-testid="theme">Dark</button>
    </header>
    <Banners live={live} now={now} hurry={hurry} />
    <main id="main" tabIndex={-1}>
      {!live.status && !live.lost && <p class="empty">
        Asking the router …</p>}
      {live.status && name === '' && <ListPage status={live.status}
          events={live.events} theme={theme} now={now} />}
      {live.status && name !== '' && !experiment && <p class="empty card">
        No experiment is named {name}. <a href="#/">See which there are.</a></p>}
      {experiment && <ExperimentPage key={name} experiment={experiment}
          live={live} theme={theme} operator={operator} now={now}
          onToken={() => setAsking(true)} onActed={hurry} />}
    </main>
    <footer class="soft">
      {live.status && <>bandit-router {live.status.version}, up{' '}
        {span((now - Date.parse(live.status.started)) / 1000)} · </>}
      <a href="metrics">metrics</a> · <a href="licenses.txt">licences</a>
    </footer>
    {asking && <TokenDialog onClose={() => setAsking(false)}
        onToken={shown => {
          setOperator(shown);
          setAsking(false);
        }} />}
  </>;
}

render(<App />, document.getElementById('app')!);
