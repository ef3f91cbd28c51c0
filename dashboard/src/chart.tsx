// SPDX-License-Identifier: Apache-2.0
// Lines over time, drawn by uPlot, with a legend and a table that say the same.
import {useEffect, useLayoutEffect, useMemo, useRef} from 'preact/hooks';
import uPlot from 'uplot';
import {Theme, colour, dash} from './arms.js';
import {clock} from './format.js';
import {Plot, isEmpty, thinned} from './series.js';

interface Props {
  title: string;
  note?: string;
  plot: Plot;
  theme: Theme;
  format: (value: number | null | undefined) => string;
  // The value axis begins at 0 and reaches at least this.
  least?: number;
  // The axis may begin elsewhere: where the differences are.
  floating?: boolean;
  // What to say where nothing can be drawn yet.
  empty: string;
}

const kHeight = 180;
const kRows = 12;
const kRecent = 5;
const kFont = '12px system-ui, sans-serif';

const css = (name: string) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(props: Props, width: number): uPlot.Options {
  const axis = {
    stroke: css('--soft'),
    font: kFont,
    grid: {stroke: css('--line'), width: 1},
    ticks: {stroke: css('--line'), width: 1},
  };
  return {
    width,
    height: kHeight,
    legend: {show: false},
    cursor: {sync: {key: 'time'}, drag: {x: false, y: false}, y: false},
    scales: {
      y: {
        range: (_, low, high) => {
          if (low === null || high === null) return [0, props.least ?? 1];
          if (!props.floating) {
            return [0, Math.max(props.least ?? 0, high * 1.05) || 1];
          }
          const pad = (high - low) * 0.1 || Math.abs(high) * 0.1 || 1;
          return [low - pad, high + pad];
        },
      },
    },
    axes: [
      {...axis, size: 32, values: (_, ticks) => ticks.map(t => clock(t * 1000).slice(
          0, (ticks[1] ?? 0) - (ticks[0] ?? 0) < 60 ? 8 : 5)), space: 70},
      {...axis, values: (_, ticks) => ticks.map(props.format), size: 66},
    ],
    series: [{}, ...props.plot.names.map((name, i) => ({
      label: name,
      stroke: colour(i, props.theme),
      dash: dash(i),
      width: 2,
      spanGaps: true,
      points: {show: false},
    }))],
  };
}

const data = (plot: Plot): uPlot.AlignedData =>
    [plot.times, ...plot.lines] as uPlot.AlignedData;

// Makes a plot where `box` is, and again when lines, theme or width are others.
function usePlot(props: Props, shown: boolean) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const names = props.plot.names.join('\n');
  useLayoutEffect(() => {
    const place = box.current;
    if (!place || !shown) return;
    const made = new uPlot(options(props, place.clientWidth || 300),
                           data(props.plot), place);
    plot.current = made;
    const resized = new ResizeObserver(() => {
      if (place.clientWidth > 0) {
        made.setSize({width: place.clientWidth, height: kHeight});
      }
    });
    resized.observe(place);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, props.theme, shown]);
  useEffect(() => {
    plot.current?.setData(data(props.plot));
  }, [props.plot]);
  return box;
}

export function Swatch({arm, theme}: {arm: number; theme: Theme}) {
  return <svg class="swatch" width="26" height="8" aria-hidden="true">
    <line x1="1" x2="25" y1="4" y2="4" stroke={colour(arm, theme)}
          stroke-width="3" stroke-dasharray={dash(arm).join(' ')} />
  </svg>;
}

export function Chart(props: Props) {
  const shown = !isEmpty(props.plot);
  const box = usePlot(props, shown);
  const rows = useMemo(() => thinned(props.plot, kRows).reverse(),
                       [props.plot]);
  const {plot, theme, format, title} = props;
  // Of the last samples; an arm that gets no calls any more has none.
  const newest = (line: (number | null)[]) =>
      line.slice(-kRecent).findLast(value => value !== null) ?? null;
  return <figure class="card chart">
    <figcaption>
      <h3>{title}</h3>
      {props.note && <p class="soft">{props.note}</p>}
    </figcaption>
    {!shown && <p class="empty">{props.empty}</p>}
    <div ref={box} class="plot" aria-hidden="true" hidden={!shown} />
    {shown && <ul class="legend">
      {plot.names.map((name, i) => <li key={name}>
        <Swatch arm={i} theme={theme} /> {name}{' '}
        <b>{format(newest(plot.lines[i]!))}</b>
      </li>)}
    </ul>}
    {shown && <details>
      <summary>As a table</summary>
      <div class="scroll" tabIndex={0} role="region"
           aria-label={`${title}, table`}>
        <table>
          <thead><tr><th scope="col">time</th>
            {plot.names.map(name => <th scope="col" key={name}>{name}</th>)}
          </tr></thead>
          <tbody>{rows.map(i => <tr key={plot.times[i]}>
            <th scope="row">{clock(plot.times[i]! * 1000)}</th>
            {plot.lines.map((line, l) => <td key={l}>{format(line[i])}</td>)}
          </tr>)}</tbody>
        </table>
      </div>
    </details>}
  </figure>;
}
