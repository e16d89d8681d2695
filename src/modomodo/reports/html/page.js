// Draws the figures, from the top, in the colours of the reader's theme; menus; sorting; printing.
(() => {
  "use strict";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const template = JSON.parse(document.querySelector("#template script").textContent);
  // The colours of style.py and what stands for them in the dark.
  const DARK = { "#1c2128": "#e6edf3", "#6a737d": "#9aa4af", "#e4e7eb": "#2d343d", "#ffffff": "#161b22",
    "#af8dc3": "#7b4a91", "#7fbf7b": "#27703a" };
  const config = { responsive: true, displayModeBar: false };
  const figures = new Map();
  let printing = false;

  function themed(value) {
    if (typeof value === "string") return dark.matches && !printing ? DARK[value] ?? value : value;
    if (Array.isArray(value)) return value.map(themed);
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, themed(inner)]));
    return value;
  }

  function draw(plot) {
    const figure = figures.get(plot);
    const layout = themed({ ...figure.layout, template });
    // Plotly fits a figure to its box some time later, and paper does not wait.
    if (printing) Object.assign(layout, { width: plot.clientWidth, height: plot.clientHeight });
    if (touch) layout.dragmode = false; // a finger scrolls the page
    figure.drawn = true;
    return Plotly.react(plot, themed(figure.data), layout, config);
  }

  for (const plot of document.querySelectorAll(".plot")) {
    const block = plot.querySelector("script");
    figures.set(plot, { ...JSON.parse(block.textContent), drawn: false });
    block.remove();
    const save = Object.assign(document.createElement("button"), { type: "button", className: "save", textContent: "SVG" });
    save.title = "save this figure";
    save.addEventListener("click", () => Plotly.downloadImage(plot, { format: "svg", filename: plot.ariaLabel }));
    plot.closest("figure").prepend(save);
  }

  // One at a time, so that the page scrolls and answers meanwhile; what a menu hides waits until it is shown.
  function drawNext() {
    for (const [plot, figure] of figures)
      if (!figure.drawn && plot.offsetParent) {
        draw(plot);
        setTimeout(drawNext);
        return;
      }
  }

  // What is wider than its box scrolls in it: page.css then says so, and the keyboard reaches it.
  function mark(box) {
    const more = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    box.classList.toggle("more", more);
    if (more) for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", "scrolls"]])
      box.setAttribute(name, value);
    else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
  document.querySelectorAll(".scroll, pre").forEach((box) => sizes.observe(box));

  const redraw = () => figures.forEach((figure, plot) => figure.drawn && draw(plot));
  dark.addEventListener("change", redraw);

  for (const chooser of document.querySelectorAll(".chooser")) {
    const select = chooser.querySelector("select");
    const panels = chooser.querySelectorAll(":scope > .panel");
    const show = () => {
      panels.forEach((panel, index) => { panel.hidden = index !== select.selectedIndex; });
      for (const plot of panels[select.selectedIndex].querySelectorAll(".plot"))
        if (figures.get(plot).drawn) Plotly.Plots.resize(plot); // the window may have changed meanwhile
        else draw(plot);
    };
    select.addEventListener("change", show);
    panels.forEach((panel, index) => { panel.hidden = index !== select.selectedIndex; }); // a reload keeps the entry
  }

  for (const button of document.querySelectorAll("th button"))
    button.addEventListener("click", () => {
      const head = button.closest("th"), table = head.closest("table"), column = head.cellIndex;
      // Scores are wanted from the highest, so the first click on numbers descends.
      const cells = [...table.tBodies[0].rows].map((row) => [row, row.cells[column].dataset.sort ?? ""]);
      const numbers = cells.every(([, text]) => text === "" || Number.isFinite(Number(text)));
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : numbers;
      cells.sort(([, a], [, b]) => {
        if (a === "" || b === "") return (a === "") - (b === ""); // no score comes last in either order
        const order = numbers ? a - b : a.localeCompare(b, "en", { numeric: true });
        return down ? -order : order;
      });
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      table.tBodies[0].append(...cells.map(([row]) => row));
    });

  // Paper is white, and narrower than most windows.
  function print(on) {
    printing = on;
    document.documentElement.classList.toggle("printing", on);
    for (const plot of figures.keys()) {
      if (!plot.offsetParent || (!on && !figures.get(plot).drawn)) continue;
      draw(plot);
      if (!on) Plotly.Plots.resize(plot);
    }
  }
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  drawNext();
})();
