// Sliders beside the numbers of the form that shares traffic: what one takes, the others give.
for (const form of document.querySelectorAll("[data-shares]")) {
  const rows = [...form.querySelectorAll("[data-slider]")].map((slider) => ({ slider, number: slider.parentElement.querySelector(".percent") }));
  const round = (value) => Math.round(value * 100) / 100;
  const shareOf = (row) => Number(row.number.value) || 0;

  function set(row, value) {
    row.number.value = String(round(value));
    row.slider.value = String(value);
  }

  function balance(moved) {
    const others = rows.filter((row) => row !== moved);
    const rest = Math.max(0, 100 - shareOf(moved));
    const held = others.reduce((total, row) => total + shareOf(row), 0);
    others.forEach((row, place) => set(row, held > 0 ? shareOf(row) * rest / held : place === 0 ? rest : 0));
  }

  for (const row of rows) {
    row.slider.hidden = rows.length < 2;
    row.slider.value = row.number.value;
    row.slider.addEventListener("input", () => { set(row, Number(row.slider.value)); balance(row); });
    row.number.addEventListener("change", () => { row.slider.value = row.number.value; balance(row); });
  }
}
