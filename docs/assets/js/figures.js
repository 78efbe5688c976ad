/* Figures are drawn at build time. This only moves what is already there. */
(() => {
  const BREAK = -32768;
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;

  const line = (layer, element) => {
    const q = new Int16Array(bytes(layer.q));
    return state => {
      let d = '', pen = 'M', k = state * layer.n * 2;
      for (let i = 0; i < layer.n; i++) {
        const x = q[k++], y = q[k++];
        if (x === BREAK) { pen = 'M'; continue; }
        d += layer.kind === 'dots' ? `M${x / 10} ${y / 10}h0` : `${pen}${x / 10} ${y / 10}`;
        pen = 'L';
      }
      element.querySelector('path').setAttribute('d', d);
    };
  };

  const cells = (layer, element, figure) => {
    const level = new Uint8Array(bytes(layer.q)), at = new Int16Array(bytes(layer.at));
    const rects = [...element.children], n = rects.length, columns = layer.cols.length;
    const output = figure.querySelector('output.cell');
    let chosen = -1, state = 0;
    const say = () => {
      if (chosen < 0) return;
      output.value = layer.entry.replace('{row}', layer.rows[Math.floor(chosen / columns)])
        .replace('{col}', layer.cols[chosen % columns]).replace('{value}', layer.texts[at[state * n + chosen]]);
    };
    const choose = cell => {
      if (chosen >= 0) rects[chosen].classList.remove('chosen');
      rects[chosen = cell].classList.add('chosen');
      say();
    };
    rects.forEach((rect, cell) => rect.addEventListener('pointerenter', () => choose(cell)));
    const svg = figure.querySelector('svg');  // an image hides its parts from screen readers; a group does not
    svg.setAttribute('role', 'group');
    [...svg.children].forEach(part => part.matches('.layers') || part.setAttribute('aria-hidden', true));
    element.setAttribute('tabindex', 0);
    element.setAttribute('role', 'application');
    element.setAttribute('aria-label', 'Matrix: move with the arrow keys');
    element.addEventListener('focus', () => chosen < 0 && choose(0));
    element.addEventListener('keydown', event => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
      if (!step) return;
      event.preventDefault();
      const wraps = Math.abs(step) === 1 && Math.floor((chosen + step) / columns) !== Math.floor(chosen / columns);
      if (rects[chosen + step] && !wraps) choose(chosen + step);
    });
    return next => {
      state = next;
      rects.forEach((rect, cell) => rect.setAttribute('fill-opacity', level[state * n + cell] / 100));
      say();
    };
  };

  const drag = (figure, slider, input) => {
    const svg = figure.querySelector('svg');
    const move = event => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      let best = 0;
      slider.at.forEach((x, i) => { if (Math.abs(x - point.x) < Math.abs(slider.at[best] - point.x)) best = i; });
      input.value = best;
      input.dispatchEvent(new Event('input'));
    };
    svg.classList.add('draggable');
    svg.addEventListener('pointerdown', event => { svg.setPointerCapture(event.pointerId); move(event); });
    svg.addEventListener('pointermove', event => event.buttons && move(event));
  };

  const wake = figure => {
    const script = figure.querySelector('script[type="application/json"]');
    if (!script || figure.dataset.awake) return;
    figure.dataset.awake = '';
    const data = JSON.parse(script.textContent);
    const inputs = [...figure.querySelectorAll('input')], output = figure.querySelector('output:not(.cell)');
    const elements = figure.querySelector('g.layers').children;
    const draw = data.layers.map((layer, i) => (layer.kind === 'cells' ? cells : line)(layer, elements[i], figure));
    const show = () => {
      let state = 0;
      inputs.forEach((input, i) => {
        const text = data.sliders[i].texts[input.value];
        state = state * data.sliders[i].texts.length + +input.value;
        input.nextElementSibling.textContent = text;
        input.setAttribute('aria-valuetext', text);
      });
      draw.forEach(step => step(state));
      if (output) output.value = data.readout[state];
    };
    inputs.forEach((input, i) => {
      input.addEventListener('input', show);
      if (data.sliders[i].at) drag(figure, data.sliders[i], input);
    });
    if (inputs.length) show();
    figure.querySelectorAll('.controls').forEach(controls => { controls.hidden = false; });
  };

  // A formula is a stop for the keyboard only while it has something to scroll.
  const formulas = new ResizeObserver(entries => entries.forEach(({ target }) => {
    if (target.scrollWidth > target.clientWidth) target.setAttribute('tabindex', 0); else target.removeAttribute('tabindex');
  }));

  // A slice begins with imports and helpers; its block opens at the symbol that the page speaks of, and shows the rest.
  const MOST = 60;  // lines
  const scroll = links => {
    const next = links.nextElementSibling, block = next?.matches('.wrong-note') ? next.nextElementSibling : next;
    const code = block?.querySelector('code');
    if (!code?.scrollHeight) return;  // folded
    const first = +links.dataset.line, lines = code.textContent.trimEnd().split('\n').length;
    const padding = parseFloat(getComputedStyle(code).paddingTop), height = (code.scrollHeight - 2 * padding) / lines;
    code.style.setProperty('--shown', `${Math.min(lines - first, MOST) * height + 2 * padding}px`);
    const printed = block.nextElementSibling?.matches('.output');  // by its last lines, which must be seen
    code.scrollTop = printed ? code.scrollHeight : first * height;
    links.toggleAttribute('data-scrolled', code.scrollTop > 0);
  };

  // The theme lets the keyboard scroll a block that is too long or wide, but not one that was folded then.
  const reach = code => {
    if (code.scrollWidth > code.clientWidth || code.scrollHeight > code.clientHeight) code.tabIndex = 0;
  };

  const start = () => {
    document.querySelectorAll('.source-links[data-line]').forEach(scroll);
    document.querySelectorAll('figure.fig').forEach(wake);
    document.querySelectorAll('.math').forEach(formula => formulas.observe(formula));
  };
  document.addEventListener('toggle', event => {
    event.target.querySelectorAll('.source-links[data-line]').forEach(scroll);
    event.target.querySelectorAll('pre > code').forEach(reach);
  }, true);
  document.readyState === 'loading' ? document.addEventListener('DOMContentLoaded', start) : start();
})();
