"use strict";
// Tables that sort by a click on a heading and show the rows that hold all words of a filter.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], rows = [...body.rows];
  const tools = document.querySelector(`.tools[data-for="${table.id}"]`);
  const shown = tools.querySelector("output");
  const filter = () => {
    const words = tools.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    const picks = [...tools.querySelectorAll("select")].filter((s) => s.value !== "");
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const keep = words.every((w) => text.includes(w)) &&
        picks.every((s) => row.cells[s.dataset.column].textContent === s.value);
      row.hidden = !keep;
      count += keep;
    }
    shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
  };
  tools.addEventListener("input", filter);
  filter();
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.value;
      const numeric = table.rows[1]?.cells[column].classList.contains("number");
      const compare = (a, b) => {
        const x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");  // no value: last, either way
        return (numeric ? x - y : x.localeCompare(y)) * (down ? -1 : 1);
      };
      body.append(...rows.sort(compare));
    });
  });
}
for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) { button.hidden = true; continue; }
  button.addEventListener("click", () => navigator.clipboard.writeText(
    button.parentElement.querySelector("code").textContent).then(
    () => { button.textContent = "Copied"; }, () => { button.textContent = "Select and copy"; }));
}
// What is folded opens for a link to it and on paper.
const unfold = () => document.getElementById(location.hash.slice(1))?.closest("details")
  ?.setAttribute("open", "");
addEventListener("hashchange", unfold);
unfold();
addEventListener("beforeprint", () => {
  for (const section of document.querySelectorAll("details.section")) section.open = true;
});
