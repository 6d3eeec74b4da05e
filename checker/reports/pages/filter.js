(() => {
  const box = document.getElementById("filter");
  const [text, decision, told] = ["input", "select", "output"].map((name) => box.querySelector(name));
  const plain = (said) => said.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const rows = [...document.querySelectorAll("table.summary tbody tr")].map((row) => ({
    row,
    section: document.getElementById(row.querySelector("a").hash.slice(1)),
    text: plain(`${row.textContent} ${row.dataset.rules}`),
  }));
  const filter = () => {
    const words = plain(text.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of rows) {
      const kept = words.every((word) => item.text.includes(word)) && ["", item.row.dataset.key].includes(decision.value);
      item.row.classList.toggle("off", !kept);
      item.section.classList.toggle("off", !kept);
      shown += kept;
    }
    told.textContent = told.dataset.said.replace("{shown}", shown).replace("{all}", rows.length);
  };
  text.addEventListener("input", filter);
  decision.addEventListener("input", filter);
  box.hidden = false;
})();
