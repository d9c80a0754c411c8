// Draws the charts, each fitted to the width that it finds.
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("charts").textContent);
  // What the axis and its title take of a chart's width, in pixels.
  var AXIS = 80;
  // A label that is wider is a word and no number.
  var WORD = 34;

  data.specs.forEach(function (spec, i) {
    var box = document.getElementById("chart" + i), fit = spec.usermeta.fit, width = box.clientWidth;
    var x = spec.encoding.x, color = spec.encoding.color;
    if (fit.legend) color.legend.columns = Math.max(1, Math.floor((width - AXIS) / fit.legend));
    // Words that would run into each other lean; of numbers some are left out.
    if (fit.labels > width - AXIS) {
      if (fit.label > WORD) x.axis.labelAngle = -40;
      else x.axis.labelOverlap = true;
    }
    // The page's policy lets no text become a script: expressions are interpreted and not compiled,
    // and the style of the boxes that follow the pointer is the page's own.
    var how = { actions: false, renderer: "svg", ast: true, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
    vegaEmbed(box, spec, how).catch(function (fault) {
      box.textContent = data.failed;
      console.error(fault);
    });
  });
})();
