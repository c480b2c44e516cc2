/** The script of the requirement matrix: filters by state and text. Without it everything is shown. */

export const filterScript = `
(function () {
  'use strict'
  var form = document.getElementById('filter')
  if (!form) return
  var rows = Array.prototype.slice.call(document.querySelectorAll('.matrix tr[data-state]'))
  var boxes = Array.prototype.slice.call(form.querySelectorAll('input[type=checkbox]'))
  var search = document.getElementById('filter-text')
  var output = document.getElementById('filter-count')
  var texts = rows.map(function (r) { return r.textContent.toLowerCase() })
  function apply() {
    var wanted = {}
    boxes.forEach(function (b) { wanted[b.value] = b.checked })
    var words = search.value.toLowerCase().split(/\\s+/).filter(Boolean)
    var shown = 0
    rows.forEach(function (r, i) {
      var fits = wanted[r.dataset.state] && words.every(function (w) { return texts[i].indexOf(w) >= 0 })
      r.hidden = !fits
      if (fits) shown += 1
    })
    document.querySelectorAll('.matrix tbody').forEach(function (t) {
      t.hidden = !t.querySelector('tr[data-state]:not([hidden])')
    })
    output.textContent = shown + ' of ' + rows.length + ' shown'
  }
  function preset(names) {
    boxes.forEach(function (b) { b.checked = names === null || names.indexOf(b.value) >= 0 })
    search.value = ''
    apply()
  }
  form.addEventListener('input', apply)
  form.addEventListener('submit', function (e) { e.preventDefault() })
  form.querySelectorAll('button').forEach(function (b) {
    b.addEventListener('click', function () { preset(b.value === '' ? null : b.value.split(' ')) })
  })
  function reveal() {
    var id = ''
    try { id = decodeURIComponent(location.hash.slice(1)) } catch (e) { return }
    var row = id === '' ? null : document.getElementById(id)
    if (row && row.hidden) { preset(null); row.scrollIntoView() }
  }
  window.addEventListener('hashchange', reveal)
  form.hidden = false
  apply()
})()
`
