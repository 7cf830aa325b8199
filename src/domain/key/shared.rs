//! Texts that many keys have, such as the policy of an application, kept in memory once. Nothing but the memory differs.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex};

static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);

/// Returns the text that is kept already, if there is an equal one; else keeps this one.
pub(super) fn share(text: &Arc<str>) -> Arc<str> {
    // A lock that another thread left in a panic is no reason to fail: the text is then not shared.
    TEXTS.lock().map_or_else(|_| text.clone(), |mut texts| texts.share(text))
}

#[derive(Default)]
struct Texts {
    known: HashSet<Arc<str>>,
    /// At how many texts those that nobody has any more are dropped.
    sweep_at: usize,
}

impl Texts {
    fn share(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some(known) = self.known.get(&**text) {
            return known.clone();
        }
        if self.known.len() >= self.sweep_at {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            // Each sweep is paid for by as many new texts as it looks at.
            self.sweep_at = (2 * self.known.len()).max(1024);
        }
        self.known.insert(text.clone());
        text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_and_those_that_nobody_has_are_dropped() {
        let mut texts = Texts::default();
        let (one, other): (Arc<str>, Arc<str>) = ("a policy".into(), "a policy".into());
        let kept = texts.share(&one);
        assert!(Arc::ptr_eq(&kept, &texts.share(&other)));
        for n in 0..5_000 {
            texts.share(&n.to_string().into());
        }
        assert!(texts.known.len() <= 1025, "{}", texts.known.len());
        assert!(Arc::ptr_eq(&kept, &texts.share(&other)));
    }
}
