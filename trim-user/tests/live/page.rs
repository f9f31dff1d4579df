//! The page of a running capture, in a real browser.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use xtask::lab::{Browser, Look, Namespace, Span, SpanOptions, wait_until};

use super::appliance::{Appliance, Setting, can_run};
use super::rollout::{REHEARSAL, at_half, under_traffic};

const URL: &str = "http://127.0.0.1:9620";
const WEB: &str = "web:\n  listen: 127.0.0.1:9620\n";
const PATIENCE: Duration = Duration::from_secs(60);
/// What an attacker may hope to have run by whoever looks at the page.
const PLANTED: &str = "<script>window.planted=1</script><img src=x onerror=\"window.planted=1\">";

/// A desktop and two phones, by day and by night.
const LOOKS: [(&str, Look); 4] = [
    ("desktop-light", look(1280, 900, false)),
    ("desktop-dark", look(1280, 900, true)),
    ("phone-light", look(390, 844, false)),
    ("phone-dark", look(360, 740, true)),
];

const fn look(width: u32, height: u32, is_dark: bool) -> Look {
    Look {
        width,
        height,
        is_dark,
        has_scripts: true,
    }
}

fn setting(more: String) -> Setting {
    Setting {
        more: String::leak(format!("{REHEARSAL}{more}")),
        ..Setting::default()
    }
}

pub(crate) fn browser(namespace: &Namespace) -> Browser {
    Browser::start(namespace.command("sh")).unwrap()
}

/// Opens all that can be opened, and says whether there is any.
const OPEN: &str = "[...document.querySelectorAll('details')].map(it => it.open = true).length > 0";
/// What of a page has to be moved sideways to be read; code may.
const CUT_OFF: &str = "[...document.querySelectorAll('body *')].filter(it => it.checkVisibility() && it.clientWidth > 0 && \
     it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).overflowX != 'visible' && !it.matches('.hidden, .skip, pre')) \
     .map(it => it.className + ': ' + it.innerText)";

fn assert_looks_well(browser: &mut Browser, path: &str, name: &str) {
    assert_file_looks_well(browser, &format!("{URL}{path}"), name);
}

/// Looks at a page in every way: nothing sticks out or is cut off, nothing is written to the console. With `TRIM_SCREENSHOTS`
/// naming a folder, pictures are left there.
pub(crate) fn assert_file_looks_well(browser: &mut Browser, url: &str, name: &str) {
    for (kind, look) in LOOKS {
        browser.look(look).unwrap();
        browser.go(url).unwrap();
        let widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
        let widths = browser.evaluate(widths).unwrap();
        assert_eq!(
            widths[0], widths[1],
            "{name}, {kind}: the page is wider than the window"
        );
        assert_eq!(widths[1], look.width, "{name}, {kind}");
        assert_nothing_is_cut_off(browser, &format!("{name}-{kind}"));
        if browser.evaluate(OPEN).unwrap() == true {
            assert_nothing_is_cut_off(browser, &format!("{name}-{kind}-open"));
        }
        assert_eq!(browser.errors(), [""; 0], "{name}, {kind}");
    }
}

fn assert_nothing_is_cut_off(browser: &mut Browser, name: &str) {
    if let Some(folder) = std::env::var_os("TRIM_SCREENSHOTS") {
        let file = PathBuf::from(folder).join(format!("{name}.png"));
        std::fs::write(file, browser.screenshot().unwrap()).unwrap();
    }
    let cut_off = browser.evaluate(CUT_OFF).unwrap();
    assert_eq!(cut_off, serde_json::json!([]), "{name}");
}

fn text(browser: &mut Browser) -> String {
    let text = browser.evaluate("document.body.innerText").unwrap();
    text.as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_says(browser: &mut Browser, words: &[&str]) {
    let text = text(browser);
    for word in words {
        assert!(text.contains(word), "`{word}` is not on the page:\n{text}");
    }
}

/// Goes to the overview until it says this.
#[track_caller]
fn wait_says(browser: &mut Browser, word: &str) {
    let says = || {
        browser.go(URL).unwrap();
        text(browser).contains(word)
    };
    assert!(wait_until(PATIENCE, says), "`{word}` does not come");
}

#[test]
fn the_page_shows_every_state_and_takes_traffic_back() {
    if !can_run("the_page_shows_every_state_and_takes_traffic_back") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting(WEB.to_owned()));
    let mut browser = browser(&span.appliance);
    browser.go(URL).unwrap();
    assert_looks_well(&mut browser, "/", "no-traffic");

    let browser = under_traffic(&span, || {
        let mut browser = browser;
        assert_shows_a_rollout(&appliance, &mut browser);
        assert_takes_traffic_back(&appliance, &mut browser);
        browser
    });
    let mut browser = browser;
    assert_plants_nothing(&appliance, &mut browser);
    for file in ["trim.db", "trim.db-wal", "trim.db-shm"] {
        let path = appliance.folder().join(file);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
    }
    wait_says(&mut browser, "The database cannot be read");
    assert_looks_well(&mut browser, "/", "database-gone");
    appliance.stop();
}

fn assert_shows_a_rollout(appliance: &Appliance, browser: &mut Browser) {
    let lines = "document.querySelectorAll('svg .line').length";
    let has_plots = || {
        browser.go(URL).unwrap();
        browser.evaluate(lines).unwrap() == 4
    };
    assert!(wait_until(PATIENCE, has_plots));
    // Until there is something to be seen in them.
    std::thread::sleep(Duration::from_secs(5));
    assert_looks_well(browser, "/", "healthy");
    assert_says(browser, &["healthy", "not started", "Nobody has started a rollout"]);
    at_half(appliance);
    wait_says(browser, "paused");
    appliance.command(&["rollout", "resume", "--reason", "the test has seen it paused"]);
    assert_looks_well(browser, "/", "rolling-out");
    assert_says(
        browser,
        &[
            "Packets seen",
            "pkt/s",
            "bit/s",
            "scanning",
            "Gradual rollout",
            "kernel to written",
            "balance",
        ],
    );
    assert_eq!(browser.evaluate(lines).unwrap(), 4, "every plot has a line");
    // Without scripts it says the same, and comes again by itself.
    browser
        .look(Look {
            has_scripts: false,
            ..Look::default()
        })
        .unwrap();
    browser.go(URL).unwrap();
    assert_says(
        browser,
        &["Packets seen", "Where every packet went", "rx_ring_full", "Health"],
    );
    let refresh = browser
        .evaluate("document.querySelector('meta[http-equiv=refresh]').content")
        .unwrap();
    assert_eq!(refresh, "10");
    browser.look(Look::default()).unwrap();
    assert_refreshes_itself(browser);
}

/// The script puts new numbers in the place of the old ones, and leaves alone what somebody has opened.
fn assert_refreshes_itself(browser: &mut Browser) {
    browser.go(URL).unwrap();
    let time = "document.querySelector('[data-region=top] time').dateTime";
    browser
        .evaluate("document.getElementById('triggers').open = true; document.getElementById('triggers').querySelector('summary').focus()")
        .unwrap();
    let before = browser.evaluate(time).unwrap();
    assert!(
        wait_until(PATIENCE, || browser.evaluate(time).unwrap() != before),
        "nothing is refreshed"
    );
    assert_eq!(
        browser.evaluate("document.getElementById('triggers').open").unwrap(),
        true
    );
}

/// Through the question, with the script switched off, as a person would.
fn assert_takes_traffic_back(appliance: &Appliance, browser: &mut Browser) {
    let is_split = appliance.command(&["status"])["mode"] != "legacy";
    assert!(is_split, "there is something to take back");
    browser
        .look(Look {
            has_scripts: false,
            ..Look::default()
        })
        .unwrap();
    browser.go(URL).unwrap();
    browser.follow("rollback").unwrap();
    assert_says(browser, &["Take all traffic back to legacy?"]);
    let reason = format!("document.getElementById('reason').value = {PLANTED:?}, true");
    browser.evaluate(&reason).unwrap();
    browser.follow("confirm").unwrap();
    assert_says(
        browser,
        &["rolled back", "Traffic was taken back to legacy", "<script>"],
    );
    assert_eq!(appliance.command(&["status"])["mode"], "legacy");
    let view = appliance.command(&["rollout", "status"]);
    let rollback = view["state"]["rollbacks"][0]["reason"].as_str().unwrap().to_owned();
    assert!(rollback.contains("web page, from 127.0.0.1"), "{rollback}");
    wait_says(browser, "rollout_command");
    browser.look(Look::default()).unwrap();
    assert_looks_well(browser, "/", "rolled-back");
    assert_looks_well(browser, "/rollback", "rollback");
    browser.go(URL).unwrap();
    let has_words = !text(browser).contains("the rollout is rolled_back");
    assert!(has_words, "what is for people is said in words");
    let first = browser
        .evaluate("document.querySelector('[data-region=decisions] a').id")
        .unwrap();
    browser.follow(first.as_str().unwrap()).unwrap();
    assert_says(browser, &["rollback immediate", "before", "after", "<script>"]);
    browser.go(URL).unwrap();
    let advance =
        "[...document.querySelectorAll('[data-region=decisions] a')].find(it => it.innerText == 'advance').id";
    let advance = browser.evaluate(advance).unwrap();
    browser.follow(advance.as_str().unwrap()).unwrap();
    assert_says(
        browser,
        &[
            "every criterion of the step holds",
            "Evidence of the last",
            "cost per packet",
        ],
    );
    let path = browser.evaluate("location.pathname").unwrap();
    assert_looks_well(browser, path.as_str().unwrap(), "decision");
}

/// What others have written is shown as they wrote it, and acknowledged by a button.
fn assert_plants_nothing(appliance: &Appliance, browser: &mut Browser) {
    appliance.command(&["alert", "send", "--level", "CRITICAL", "--message", PLANTED]);
    wait_says(browser, "<img src=x");
    let count = "document.querySelectorAll('main script, main img').length";
    assert_eq!(browser.evaluate(count).unwrap(), 0);
    assert_eq!(browser.evaluate("typeof window.planted").unwrap(), "undefined");
    assert_looks_well(browser, "/", "alerts");
    browser.go(URL).unwrap();
    let open = "document.querySelectorAll('[id^=ack-]').length";
    let before = browser.evaluate(open).unwrap().as_u64().unwrap();
    let first = browser.evaluate("document.querySelector('[id^=ack-]').id").unwrap();
    browser.follow(first.as_str().unwrap()).unwrap();
    assert_says(browser, &["seen by web page, from 127.0.0.1"]);
    assert_eq!(browser.evaluate(open).unwrap().as_u64().unwrap(), before - 1);
}

/// The status and the head of the answer to a request from inside the namespace.
fn curl(namespace: &Namespace, arguments: &[&str]) -> String {
    let mut command: Command = namespace.command("curl");
    command
        .args(["--silent", "--include", "--max-time", "20"])
        .args(arguments);
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

/// What requests without a browser get.
fn assert_is_guarded(namespace: &Namespace, token: &str) {
    let cookie = format!("Cookie: trim_token={token}");
    let ask = |arguments: &[&str]| curl(namespace, arguments);
    let head = ask(&["--header", &cookie, URL]);
    for line in [
        "200 OK",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "nosniff",
        "no-store",
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    let rollback = format!("{URL}/rollback");
    let foreign = [
        "--header",
        &cookie,
        "--header",
        "Origin: http://evil.example",
        "--data",
        "reason=x",
        &rollback,
    ];
    assert!(ask(&foreign).contains("403 Forbidden"));
    let forged = ["--header", &cookie, "--data", "reason=x&form_token=0", &rollback];
    assert!(ask(&forged).contains("403 Forbidden"));
    assert!(ask(&["--data", "reason=x", &rollback]).contains("401 Unauthorized"));
    for (path, status) in [
        ("/decisions/7000", "404"),
        ("/decisions/-1", "404"),
        ("/nothing", "404"),
    ] {
        let answer = ask(&["--header", &cookie, &format!("{URL}{path}")]);
        assert!(answer.contains(status), "{path}: {answer}");
    }
}

#[test]
fn the_page_is_for_who_has_the_token_and_for_no_other_site() {
    if !can_run("the_page_is_for_who_has_the_token_and_for_no_other_site") {
        return;
    }
    const TOKEN: &str = "a-token-of-some-length-0123456789";
    let span = Span::new(SpanOptions::default()).unwrap();
    let secret = xtask::lab::Folder::new("token").unwrap();
    let file = secret.path().join("token");
    std::fs::write(&file, TOKEN).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, permissions).unwrap();
    let web = format!("{WEB}  token: file:{}\n", file.display());
    let mut appliance = Appliance::start(&span.appliance, setting(web));
    let mut browser = browser(&span.appliance);

    browser.go(URL).unwrap();
    assert_eq!(browser.evaluate("location.pathname").unwrap(), "/login");
    assert_looks_well(&mut browser, "/login", "login");
    for (token, words) in [("wrong", "This is not the token."), (TOKEN, "Where every packet went")] {
        browser
            .evaluate(&format!("document.getElementById('token').value = {token:?}, true"))
            .unwrap();
        browser.follow("enter").unwrap();
        assert_says(&mut browser, &[words]);
        browser.errors();
    }
    assert_eq!(
        browser.evaluate("document.cookie").unwrap(),
        "",
        "no script can read it"
    );
    let page = browser
        .evaluate("document.documentElement.outerHTML + location.href")
        .unwrap();
    assert!(!page.as_str().unwrap().contains(TOKEN), "the token is on the page");
    browser.follow("logout").unwrap();
    assert_eq!(browser.evaluate("location.pathname").unwrap(), "/login");

    assert_is_guarded(&span.appliance, TOKEN);
    let view = appliance.command(&["rollout", "status"]);
    assert_eq!(view["state"]["status"], "not_started", "{view}");
    appliance.stop();
}
