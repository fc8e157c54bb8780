import { coarsened, intervalCount, type Timeline } from '../../model/timeline.ts';
import { printable } from '../printable.ts';
import { serverName } from '../server-name.ts';
import { intervalWords, type Panel, panelsOf, timelineGround, valueWords } from '../timeline-words.ts';
import { lineLooks, panelPlot, unitOf } from './timeline-plots.ts';
import { Figure } from './told.tsx';

/** More than a phone or a page has room for is not drawn; the CSV has all. */
const mostDrawn = 200;
const mostRows = 12;

/** A run over time: one plot for each unit, above each other on the same axis. */
export function TimelinePlots({ timeline }: { timeline: Timeline }) {
  const drawn = coarsened(timeline, mostDrawn);
  const panels = panelsOf(drawn);
  if (panels.length === 0) return null;
  return (
    <div class="timeline">
      <p class="lead">
        Over time, {intervalWords(drawn.intervalMs)} an interval. What was asked and did not go through{' '}
        {serverName(timeline.server)} came from the guest's page cache; what went through it and did not come
        from the disk, from the host's. Dashed: the program's end.
      </p>
      {panels.map((panel, index) => (
        <PanelFigure panel={panel} timeline={drawn} isLast={index === panels.length - 1} />
      ))}
      <ul class="ground">
        {timelineGround(timeline).map((words) => (
          <li>{printable(words)}</li>
        ))}
      </ul>
    </div>
  );
}

function PanelFigure({ panel, timeline, isLast }: { panel: Panel; timeline: Timeline; isLast: boolean }) {
  const unit = unitOf(panel, timeline);
  return (
    <Figure svg={panelPlot(panel, timeline, { isLast, words: spoken(panel, timeline) })}>
      <span class="panel-title">
        {panel.title}, {unit.words}
      </span>
      <span class="keys">
        {panel.lines.map(({ name, words }) => (
          <span>
            <svg class="swatch" viewBox="0 0 20 10" aria-hidden="true" focusable="false">
              <line
                x1="0"
                x2="20"
                y1="5"
                y2="5"
                stroke={lineLooks[name].color}
                stroke-width="3"
                stroke-dasharray={lineLooks[name].dash}
              />
            </svg>
            {words}
          </span>
        ))}
      </span>
    </Figure>
  );
}

/** `Read over time. Asked by the program: at most 12.0 MiB/s. …` */
function spoken({ title, lines }: Panel, { series, intervalMs }: Timeline): string {
  const told = lines.map(({ name, words }) => {
    const seen = (series[name] ?? []).filter((value): value is number => value !== null);
    const [least, most] = [Math.min(...seen), Math.max(...seen)];
    return `${words}: ${valueWords(name, least, intervalMs)} to ${valueWords(name, most, intervalMs)}`;
  });
  return `${title} over time. ${told.join('; ')}.`;
}

/** The figures behind the plots. */
export function TimelineNumbers({ timeline }: { timeline: Timeline }) {
  const few = coarsened(timeline, mostRows);
  const panels = panelsOf(few);
  if (panels.length === 0) return null;
  return (
    <details class="in-numbers">
      <summary>
        in numbers<span class="unseen">: the run over time</span>
      </summary>
      <div class="columns">
        {panels.map((panel) => (
          <PanelTable panel={panel} timeline={few} />
        ))}
      </div>
    </details>
  );
}

function PanelTable({ panel: { title, lines }, timeline }: { panel: Panel; timeline: Timeline }) {
  const { fromMs, intervalMs, series } = timeline;
  const at = (index: number) => Number(((fromMs + index * intervalMs) / 1000).toFixed(1));
  return (
    <div class="scrolls">
      <table class="numbers">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">seconds</th>
            {lines.map(({ words }) => (
              <th scope="col">{words}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: intervalCount(timeline) }, (_, index) => (
            <tr>
              <th scope="row">
                {at(index)} to {at(index + 1)}
              </th>
              {lines.map(({ name }) => {
                const value = series[name]?.[index];
                return <td>{typeof value === 'number' ? valueWords(name, value, intervalMs) : '–'}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
