// Sorts and pages the table. The rows stand in the page as data; without scripts the first page of
// them is there as plain HTML.
(function () {
  "use strict";
  var source = document.getElementById("rows");
  if (!source) return;
  var data = JSON.parse(source.textContent), rows = data.rows, size = data.size, at = 0;
  var body = document.querySelector("tbody"), heads = document.querySelectorAll("th");
  var order = rows.map(function (_, i) { return i; });

  function line(cells, name) {
    var made = document.createElement("tr");
    if (name) made.className = name;
    cells.forEach(function (cell) { made.appendChild(cell); });
    body.appendChild(made);
  }

  function draw(all) {
    body.textContent = "";
    (all ? order : order.slice(at, at + size)).forEach(function (i) {
      var cells = [], below = document.createElement("td");
      rows[i].forEach(function (cell, c) {
        if (data.below.indexOf(c) >= 0) {
          if (!cell[0]) return;
          var said = document.createElement("p"), head = document.createElement("b");
          head.textContent = data.labels[c];
          said.appendChild(head);
          said.appendChild(document.createTextNode(" " + cell[0]));
          below.appendChild(said);
          return;
        }
        var box = document.createElement("td");
        box.className = data.classes[c];
        box.setAttribute("data-label", data.labels[c]);
        box.textContent = cell[0];
        cells.push(box);
      });
      line(cells, below.firstChild ? "above" : "");
      below.colSpan = cells.length;
      if (below.firstChild) line([below], "below");
    });
    var last = Math.max(1, Math.ceil(rows.length / size)), here = Math.floor(at / size) + 1;
    var place = document.getElementById("place");
    if (!place) return;
    place.textContent = here + " / " + last;
    document.getElementById("previous").disabled = here === 1;
    document.getElementById("next").disabled = here === last;
  }

  function compare(a, b) {
    if (a === b) return 0;
    // Missing values stand last whichever way the column is sorted.
    if (a === null) return Infinity;
    if (b === null) return -Infinity;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b));
  }

  heads.forEach(function (head) {
    var c = Number(head.getAttribute("data-column"));
    head.querySelector("button").addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      order.sort(function (i, j) {
        var found = compare(rows[i][c][1], rows[j][c][1]);
        if (Math.abs(found) === Infinity) return found;
        return (down ? -found : found) || i - j;
      });
      at = 0;
      draw(false);
    });
  });
  [["previous", -1], ["next", 1]].forEach(function (pair) {
    var button = document.getElementById(pair[0]);
    if (button) button.addEventListener("click", function () { at += pair[1] * size; draw(false); });
  });
  var pager = document.querySelector(".pager");
  if (pager) pager.hidden = false;
  // Paper has no pages to turn: print what a reader can still leaf through.
  if (rows.length > size && rows.length <= data.print) {
    window.addEventListener("beforeprint", function () { draw(true); });
    window.addEventListener("afterprint", function () { draw(false); });
  }
  draw(false);
})();
