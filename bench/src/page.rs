//! The whole run as one page that loads nothing.

use std::fmt::Write as _;

use trim_user::ops::html;
use trim_user::plot::escape;

use crate::section::Section;

/// All scenarios of a run.
pub(crate) fn page(sections: &[Section]) -> String {
    let mut page = html::begin("Benchmark of trim");
    if let Some(first) = sections.first() {
        let _ = writeln!(page, "<p class=\"dim\">{}</p>", escape(&first.machine));
    }
    let heads = ["scenario", "demand", "measured", "wanted", "verdict"];
    html::table(&mut page, "Demands", &heads, sections.iter().flat_map(demands));
    for section in sections {
        figures(&mut page, section);
    }
    page + html::END
}

fn demands(section: &Section) -> impl Iterator<Item = Vec<String>> {
    section.targets.iter().map(|(variant, target)| {
        vec![
            format!("{} {variant}", section.scenario).trim_end().to_owned(),
            target.what.to_owned(),
            format!("{:.2}", target.measured),
            target.demand(),
            target.verdict().to_owned(),
        ]
    })
}

fn figures(page: &mut String, section: &Section) {
    for table in &section.tables {
        html::table(page, &table.title, table.heads, table.rows.iter().cloned());
    }
    page.push_str("<div class=\"plots\">\n");
    for plot in &section.plots {
        let _ = writeln!(page, "<div class=\"card\">{}</div>", plot.svg);
    }
    page.push_str("</div>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::shown::Shown as _;

    #[test]
    fn each_scenario_has_its_table_and_its_plots() {
        let page = page(&[fixture("bulk").section(), fixture("web").section()]);
        for part in [
            "<h2>bulk</h2>",
            "<h2>web</h2>",
            "bulk: packets kept",
            "web: packets lost by rate",
            "us to the last",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("src="), "it loads nothing");
    }
}
