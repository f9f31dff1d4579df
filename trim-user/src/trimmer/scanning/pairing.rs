//! Which request a response answers, in a few words: HEAD, CONNECT and Upgrade change how the answer is framed.

use crate::http::Method;

/// What matters of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Request {
    Other = 0,
    Head = 1,
    Connect = 2,
    /// It asks for another protocol.
    Upgrade = 3,
}

/// Requests that can be outstanding before the count is given up.
const MOST: u8 = 64;

/// The outstanding requests of a flow in order, two bits each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pairing {
    ring: u128,
    count: u8,
    /// Responses that were captured before their requests.
    early: u8,
    /// The last of them was a 2xx.
    early_success: bool,
    /// Some request or response was not seen or not counted: nothing can be paired on this connection any more.
    broken: bool,
    /// A CONNECT request was seen.
    connect: bool,
}

/// The answer to a request was captured before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overtaken {
    /// It is the last response seen so far.
    pub(super) is_last: bool,
    /// That one is a 2xx.
    pub(super) success: bool,
}

/// Which request a response answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Known(Request),
    /// Its request will be captured after it.
    Early,
    Unknown,
}

impl Pairing {
    /// Something was missed: from now on no response is paired.
    pub(super) fn give_up(&mut self) {
        (self.ring, self.count, self.early, self.broken) = (0, 0, 0, true);
    }

    /// A request is complete.
    pub(super) fn request(&mut self, method: Method, upgrade: bool) -> (Request, Option<Overtaken>) {
        let request = match method {
            Method::Head => Request::Head,
            Method::Connect => Request::Connect,
            _ if upgrade => Request::Upgrade,
            _ => Request::Other,
        };
        self.connect |= request == Request::Connect;
        if method == Method::HeadLike || self.count == MOST {
            // Servers disagree on `head`: what follows its answer has to tell.
            self.give_up();
        }
        if self.broken {
            return (request, None);
        }
        if self.early > 0 {
            self.early -= 1;
            let (is_last, success) = (self.early == 0, self.early_success);
            return (request, Some(Overtaken { is_last, success }));
        }
        self.ring |= (request as u128) << (2 * self.count);
        self.count += 1;
        (request, None)
    }

    /// A final response with this status is complete. `unseen` tells whether it acknowledges bytes of the other
    /// direction which were not captured yet; nothing, if nothing was ever seen of that.
    pub(super) fn response(&mut self, status: u16, unseen: Option<bool>) -> Answered {
        let Some(unseen) = unseen.filter(|_| !self.broken) else {
            return Answered::Unknown;
        };
        if self.count > 0 {
            let request = Self::decode(self.ring);
            self.ring >>= 2;
            self.count -= 1;
            return Answered::Known(request);
        }
        if !unseen {
            // Nobody asked, as with a 408 on an idle connection.
            return Answered::Known(Request::Other);
        }
        match self.early.checked_add(1) {
            Some(early) => (self.early, self.early_success) = (early, (200..300).contains(&status)),
            None => self.give_up(),
        }
        Answered::Early
    }

    /// The requests that are not answered yet, if that is known.
    pub(super) fn outstanding(&self) -> Option<impl Iterator<Item = Request>> {
        let Self { ring, count, .. } = *self;
        (!self.broken && self.early == 0).then(|| (0..count).map(move |index| Self::decode(ring >> (2 * index))))
    }

    const fn decode(ring: u128) -> Request {
        match ring & 3 {
            1 => Request::Head,
            2 => Request::Connect,
            3 => Request::Upgrade,
            _ => Request::Other,
        }
    }

    /// Whether an answer that is still to come may end HTTP on this connection.
    pub(super) fn may_switch(&self) -> bool {
        const CONNECT_OR_UPGRADE: u128 = u128::MAX / 3 * 2;
        self.ring & CONNECT_OR_UPGRADE != 0 || self.may_have_connected()
    }

    /// Whether a 2xx response may be the answer to CONNECT although that cannot be told.
    pub(super) fn may_have_connected(&self) -> bool {
        self.broken && self.connect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_answer_requests_in_order() {
        let mut pairing = Pairing::default();
        let methods = [Method::Other, Method::Head, Method::Connect, Method::Other];
        for method in methods {
            assert_eq!(pairing.request(method, false).1, None);
        }
        assert!(pairing.may_switch());
        for expected in [Request::Other, Request::Head, Request::Connect] {
            assert_eq!(pairing.response(200, Some(false)), Answered::Known(expected));
        }
        assert!(!pairing.may_switch());
        assert_eq!(pairing.response(200, Some(true)), Answered::Known(Request::Other));
        assert_eq!(pairing.response(408, Some(false)), Answered::Known(Request::Other));
    }

    #[test]
    fn a_response_before_its_request_settles_it() {
        let mut pairing = Pairing::default();
        assert_eq!(pairing.response(200, Some(true)), Answered::Early);
        let overtaken = |is_last, success| Some(Overtaken { is_last, success });
        let connect = pairing.request(Method::Connect, false);
        assert_eq!(connect, (Request::Connect, overtaken(true, true)));
        assert_eq!(pairing.response(200, Some(true)), Answered::Early);
        assert_eq!(pairing.response(404, Some(true)), Answered::Early);
        let head = pairing.request(Method::Head, false);
        assert_eq!(head, (Request::Head, overtaken(false, false)));
        let head = pairing.request(Method::Head, false);
        assert_eq!(head, (Request::Head, overtaken(true, false)));
        assert_eq!(pairing.request(Method::Other, true), (Request::Upgrade, None));
        assert_eq!(pairing.response(101, Some(false)), Answered::Known(Request::Upgrade));
    }

    #[test]
    fn too_many_outstanding_requests_end_the_pairing_for_good() {
        let mut pairing = Pairing::default();
        for _ in 0..=MOST {
            pairing.request(Method::Other, false);
        }
        assert_eq!(pairing.response(200, Some(false)), Answered::Unknown);
        pairing.request(Method::Connect, false);
        assert_eq!(pairing.response(200, Some(false)), Answered::Unknown);
        assert!(pairing.may_have_connected());
    }
}
