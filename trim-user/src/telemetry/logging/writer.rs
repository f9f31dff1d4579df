//! The thread that writes.

use std::io;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::error::LoggingError;
use super::line::{Level, Line};
use super::queue::Output;
use super::sink::Sink;

/// Longest pause between two looks at whether it is to end, and at what was dropped.
const PAUSE: Duration = Duration::from_millis(200);
/// How long what is on its way may take to be written at the end.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// The writing thread. Dropping it writes what waits, for at most a second: a sink that hangs must not hold up the end.
#[derive(Debug)]
pub struct Writer {
    end: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Writer {
    pub(super) fn start(sink: Box<dyn Sink>, queue: Output) -> Result<Self, LoggingError> {
        let (end, is_over) = crossbeam_channel::bounded::<()>(0);
        let (done, ended) = crossbeam_channel::bounded::<()>(0);
        let mut writing = Writing {
            sink,
            queue,
            unwritten: 0,
            trouble: None,
        };
        thread::Builder::new()
            .name("trim-log".to_owned())
            .spawn(move || {
                writing.run(&is_over);
                drop(done);
            })
            .map_err(LoggingError::Thread)?;
        Ok(Self { end: Some(end), ended })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.end.take());
        // Nothing is ever sent: the end of the thread closes the channel.
        let _ = self.ended.recv_timeout(LAST_PATIENCE);
    }
}

struct Writing {
    sink: Box<dyn Sink>,
    queue: Output,
    /// Lines that the sink did not take since it last worked.
    unwritten: u64,
    /// Why.
    trouble: Option<io::Error>,
}

impl Writing {
    fn run(&mut self, is_over: &Receiver<()>) {
        loop {
            match self.queue.next(PAUSE) {
                Ok(line) => self.write(&line),
                Err(RecvTimeoutError::Timeout) if is_over.try_recv() == Err(crossbeam_channel::TryRecvError::Empty) => {
                }
                Err(_) => break,
            }
            self.tell_dropped();
        }
        self.sink.flush();
    }

    /// Lines that found no place, and lines that the disk did not take, are said as soon as something can be said.
    fn tell_dropped(&mut self) {
        let dropped = self.queue.take_dropped();
        if dropped > 0 {
            let message = format!("{dropped} log lines were dropped: they came faster than they can be written");
            self.write(&Line::of_log(Level::Warn, message));
        }
    }

    fn write(&mut self, line: &Line) {
        if let Some(error) = &self.trouble {
            let message = format!("{} log lines could not be written: {error}", self.unwritten);
            if self.sink.write(&Line::of_log(Level::Warn, message)).is_err() {
                self.unwritten += 1;
                return;
            }
            self.trouble = None;
            self.unwritten = 0;
        }
        if let Err(error) = self.sink.write(line) {
            self.sink.complain(&error);
            self.unwritten += 1;
            self.trouble = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::queue::queue;
    use super::*;

    /// A sink that fails as often as it is told to.
    struct Moody {
        failures: usize,
        written: Arc<Mutex<Vec<String>>>,
    }

    impl Sink for Moody {
        fn write(&mut self, line: &Line) -> io::Result<()> {
            if self.failures > 0 {
                self.failures -= 1;
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            self.written.lock().unwrap().push(line.message.clone());
            Ok(())
        }
    }

    fn line(message: &str) -> Line {
        Line::of_log(Level::Info, message.to_owned())
    }

    #[test]
    fn what_a_full_disk_cost_is_said_when_it_has_room_again() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (input, output) = queue(16);
        for message in ["a", "b", "c", "d"] {
            input.put(line(message));
        }
        let sink = Moody {
            failures: 3,
            written: Arc::clone(&written),
        };
        drop(Writer::start(Box::new(sink), output).unwrap());
        let written = written.lock().unwrap();
        assert_eq!(written.len(), 2, "{written:?}");
        assert!(
            written[0].starts_with("3 log lines could not be written"),
            "{written:?}"
        );
        assert_eq!(written[1], "d");
    }

    #[test]
    fn a_full_queue_drops_and_says_so() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (input, output) = queue(2);
        for message in ["a", "b", "c", "d", "e"] {
            input.put(line(message));
        }
        let sink = Moody {
            failures: 0,
            written: Arc::clone(&written),
        };
        drop(Writer::start(Box::new(sink), output).unwrap());
        let written = written.lock().unwrap();
        assert_eq!(written[0], "a");
        assert!(
            written.iter().any(|line| line.starts_with("3 log lines were dropped")),
            "{written:?}"
        );
        assert!(written.contains(&"b".to_owned()), "{written:?}");
    }
}
