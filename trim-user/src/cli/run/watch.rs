//! Notices when a file of the configuration changes.

use std::path::Path;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::config::Layers;

/// Files have to rest for so long: an editor or a package writes several times.
const REST: Duration = Duration::from_millis(500);

/// Watches the files of some layers, or nothing.
pub(super) struct ConfigWatch {
    changed: mpsc::Receiver<()>,
    /// Watches as long as it lives.
    _watcher: Option<RecommendedWatcher>,
    /// Without a watcher nothing ever comes, and the channel has to stay open.
    _sender: mpsc::Sender<()>,
}

impl ConfigWatch {
    /// Begins to watch, on the present runtime, if that is wanted. When it cannot, the log says so and nothing is watched.
    pub(super) fn start(layers: &Layers, is_wanted: bool) -> Self {
        let (sender, changed) = mpsc::channel(1);
        let watcher = is_wanted.then(|| watch(layers.clone(), sender.clone())).transpose();
        Self {
            changed,
            _watcher: watcher.unwrap_or_else(|error| {
                tracing::error!(%error, "the files of the configuration are not watched");
                None
            }),
            _sender: sender,
        }
    }

    /// Returns when files have changed and rested since.
    pub(super) async fn changed(&mut self) {
        if self.changed.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

fn watch(layers: Layers, changed: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let (touched, touches) = mpsc::channel(1);
    let folders = layers.folders();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Reading the files anew touches them as well. That the kernel lost events means that there were some.
        let is_ours = |event: &Event| !event.kind.is_access() && event.paths.iter().any(|path| layers.has(path));
        if event
            .as_ref()
            .map_or(true, |event| is_ours(event) || event.need_rescan())
        {
            // A full channel says the same already.
            let _ = touched.try_send(());
        }
    })?;
    // Folders, because files are replaced rather than written. One that is not there has nothing to watch.
    for folder in folders.iter().filter(|folder| Path::is_dir(folder)) {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    tokio::spawn(debounce(touches, changed));
    Ok(watcher)
}

/// Passes on that files were touched, when they have rested.
async fn debounce(mut touches: mpsc::Receiver<()>, changed: mpsc::Sender<()>) {
    while touches.recv().await.is_some() {
        while let Ok(Some(())) = tokio::time::timeout(REST, touches.recv()).await {}
        if changed.send(()).await.is_err() {
            return;
        }
    }
}
