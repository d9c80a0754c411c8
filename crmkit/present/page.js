// Sorts and pages the table. The rows stand in the page as data; without scripts the first page of
// them is there as plain HTML.
(function () {
  "use strict";
  var source = document.getElementById("rows");
  if (!source) return;
  var data = JSON.parse(source.textContent), rows = data.rows, size = data.size, at = 0;
  var body = document.querySelector("tbody"), heads = document.querySelectorAll("th");
  var order = rows.map(function (_, i) { return i; });

  function draw() {
    body.textContent = "";
    order.slice(at, at + size).forEach(function (i) {
      var line = document.createElement("tr");
      rows[i].forEach(function (cell, c) {
        var box = document.createElement("td");
        box.className = data.classes[c];
        box.textContent = cell[0];
        line.appendChild(box);
      });
      body.appendChild(line);
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

  heads.forEach(function (head, c) {
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
      draw();
    });
  });
  [["previous", -1], ["next", 1]].forEach(function (pair) {
    var button = document.getElementById(pair[0]);
    if (button) button.addEventListener("click", function () { at += pair[1] * size; draw(); });
  });
  draw();
})();
