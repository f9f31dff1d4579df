//! Dated results in the repository, so that figures can be compared over time.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use trim_user::plot::standalone;
use xtask::workspace;

use crate::page::page;
use crate::section::Section;
use crate::shown::Shown;

/// Writes the report to `bench/record/DATE-SCENARIO.json` and returns the path.
pub(crate) fn write(report: &impl Shown) -> Result<PathBuf> {
    let folder = workspace::root().join("bench/record");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = folder.join(name(&report.machine().date, report.scenario()));
    let text = serde_json::to_string_pretty(report)? + "\n";
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Writes the run as a page, and each plot as a picture, to a folder; returns the page's path.
pub(crate) fn draw(sections: &[Section], folder: &Path) -> Result<PathBuf> {
    let save = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok::<_, anyhow::Error>(file)
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for plot in sections.iter().flat_map(|section| &section.plots) {
        save(&format!("{}.svg", plot.name), &standalone(&plot.svg))?;
    }
    save("index.html", &page(sections))
}

/// Without colons, which some file systems refuse.
fn name(date: &str, scenario: &str) -> String {
    format!("{}-{scenario}.json", date.replace(':', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_sort_by_their_date() {
        assert_eq!(name("2026-01-02T03:04:05Z", "bulk"), "2026-01-02T030405Z-bulk.json");
    }
}
