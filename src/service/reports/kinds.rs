//! The rows of each kind of report: what is read for them, in which order, and where they continue after a restart.

use super::Reports;
use super::key_activity::{self, OwnOperations};
use super::key_aging;
use super::log_reading::LogReader;
use super::output::{Checkpoint, Output, Page, lock};
use super::own_calls::OwnCallsByTime;
use super::place::Place;
use super::proxy_calls::ProxyCalls;
use super::reconciliation::{self, Changes};
use super::row::Row;
use super::service_usage::Groups;
use super::store_failure;
use crate::aws::cloudtrail::TrailEvent;
use crate::aws::page::Marker;
use crate::domain::id::KmsId;
use crate::domain::key::name::KeyArn;
use crate::domain::report::{LogPlace, Report, ReportCounts, ReportKind, ReportSource};
use crate::domain::time::Time;
use crate::service::failure::Failure;
use crate::service::trail::{Seen, TrailSource, TrailWindow};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};

/// The pages after which the groups of a report of usage are written.
const PAGES_PER_FLUSH: u64 = 50;
/// The time before a report in which an operation can have been requested that ends in it.
const REQUESTED_BEFORE_SECONDS: i64 = 86_400;
/// The rows that are written at once.
const ROWS_AT_ONCE: usize = 1_000;

impl Reports {
    /// Reads what a report needs, and writes its rows.
    ///
    /// # Errors
    /// AWS's failure, or that of the file.
    pub(super) async fn write_rows(&self, report: &Report, output: &Output) -> Result<(), Failure> {
        match report.kind {
            ReportKind::KeyActivity => self.key_activity(report, output).await,
            ReportKind::ServiceUsage => self.service_usage(report, output).await,
            ReportKind::KeyAging => self.key_aging(report, output).await,
            ReportKind::Reconciliation => self.reconciliation(report, output).await,
        }
    }

    async fn key_activity(&self, report: &Report, output: &Output) -> Result<(), Failure> {
        let window = (report.start, report.end);
        let mut held: Option<Joined> = None;
        for (index, source) in report.sources.iter().enumerate().skip(output.checkpoint().source) {
            let place = Arc::new(self.place(source.kms)?);
            let has_trail = sources_of(report, source.kms).any(|(_, source)| source.log.is_some());
            // All sources of a KMS share what was seen; after a restart it is in the rows.
            let joined = match held.take().filter(|held| held.place.id() == source.kms) {
                Some(joined) => Some(joined),
                None if has_trail => {
                    let proxy = ProxyCalls::read(self.recorder.ledger(), &place, window).await?;
                    let proxy = Arc::new(Mutex::new(proxy));
                    let seen = self.recall(report, &place, &proxy, output).await?;
                    Some(Joined { place: place.clone(), proxy, seen })
                }
                None => None,
            };
            if let (Some(log), Some(joined)) = (&source.log, &joined) {
                let (own, proxy) = (self.own_calls(), joined.proxy.clone());
                let (at, to) = (place.clone(), output.clone());
                self.read_trail((report, index, log), &place, output, joined.seen.clone(), move |events, page| {
                    let rows = key_activity::rows(&at, &mut lock(&own), &mut lock(&proxy), &events)?;
                    to.append(&rows, |checkpoint| page.put_into(checkpoint))
                })
                .await?;
            }
            // What CloudTrail does not have is known only when all log groups of the KMS were read.
            if sources_of(report, source.kms).last().is_some_and(|(last, _)| last == index) {
                let proxy = joined.as_ref().map(|joined| joined.proxy.clone());
                self.own_log_rows(&place, window, proxy, output).await?;
            }
            self.next_source(report, output, index).await?;
            held = joined;
        }
        Ok(())
    }

    /// Remembers the events of a source that are in the file already, and which calls of the proxy are among them.
    async fn recall(
        &self,
        report: &Report,
        place: &Place,
        proxy: &Arc<Mutex<ProxyCalls>>,
        output: &Output,
    ) -> Result<Arc<Seen>, Failure> {
        let seen = Arc::<Seen>::default();
        if output.checkpoint().rows == 0 {
            return Ok(seen);
        }
        let (store, id, kms) = (self.store.clone(), report.id.uuid(), place.id());
        let (known, proxy) = (seen.clone(), proxy.clone());
        let read = move || {
            let mut reader = store.reader(id).map_err(store_failure)?;
            while let Some((_, bytes)) = reader.next().map_err(store_failure)? {
                if let Some(row) = Row::decode(bytes).filter(|row| row.kms() == kms) {
                    let key_activity::Ids { request, event, key } = key_activity::ids(&row);
                    // Rows of our own log have no id.
                    if !event.is_empty() {
                        if let Ok(key) = KeyArn::parse(key) {
                            lock(&proxy).join(request, &key);
                        }
                        known.is_new(event);
                    }
                }
            }
            Ok(())
        };
        self.on_worker(read).await?;
        Ok(seen)
    }

    /// Appends what our own log has. Without CloudTrail these are operations too; our calls are in CloudTrail otherwise.
    async fn own_log_rows(
        &self,
        place: &Arc<Place>,
        (start, end): (Time, Time),
        proxy: Option<Arc<Mutex<ProxyCalls>>>,
        output: &Output,
    ) -> Result<(), Failure> {
        let before = if proxy.is_some() { 0 } else { REQUESTED_BEFORE_SECONDS };
        let (from, to) = (start.plus_seconds(-before), end.plus_seconds(600));
        let mut reader = LogReader::between(self.recorder.ledger(), from, to).await?;
        // The rows of the records before are in the file; the requests in them are read again.
        let next_record = output.checkpoint().next_record;
        let (mut operations, mut rows) = (OwnOperations::default(), Vec::new());
        loop {
            let records = reader.next().await?;
            for record in &records {
                let proxy = proxy.as_ref().map(|proxy| lock(proxy));
                let mut new = Vec::new();
                if proxy.is_none() {
                    new.extend(operations.row(place, (start, end), record));
                }
                new.extend(key_activity::local_row(place, (start, end), record));
                new.extend(key_activity::proxy_rows(place, (start, end), proxy.as_deref(), record));
                if record.seq >= next_record {
                    rows.extend(new);
                }
            }
            if records.is_empty() || rows.len() >= ROWS_AT_ONCE {
                self.append(output, std::mem::take(&mut rows), reader.place()).await?;
            }
            if records.is_empty() {
                return Ok(());
            }
        }
    }

    async fn service_usage(&self, report: &Report, output: &Output) -> Result<(), Failure> {
        let (store, id) = (self.store.clone(), report.id.uuid());
        let read = move || {
            let (mut reader, mut rows) = (store.reader(id).map_err(store_failure)?, Vec::new());
            while let Some((_, bytes)) = reader.next().map_err(store_failure)? {
                rows.extend(Row::decode(bytes));
            }
            Ok(Groups::restored(rows))
        };
        let mut restored = self.on_worker(read).await?;
        // Which events of a KMS were read is not kept: one that is in two of its log groups would count twice.
        let begun = output.checkpoint();
        if let Some(ReportSource { kms, .. }) = report.sources.get(begun.source)
            && let Some((first, _)) = sources_of(report, *kms).next()
            && begun.has_begun(first)
            && sources_of(report, *kms).count() > 1
        {
            restored.forget(*kms);
            let (to, rows) = (output.clone(), restored.rows());
            self.on_worker(move || to.replace(&rows, |checkpoint| checkpoint.go_back(first))).await?;
        }
        let groups = Arc::new(Mutex::new(restored));
        let mut shared: Option<(Arc<ProxyCalls>, Arc<Seen>)> = None;
        let mut before = None;
        for (index, source) in report.sources.iter().enumerate().skip(output.checkpoint().source) {
            let place = Arc::new(self.place(source.kms)?);
            let Some(log) = &source.log else { continue };
            // An event that is in two log groups of a KMS counts once.
            let (proxy, seen) = match shared.take().filter(|_| before == Some(source.kms)) {
                Some(shared) => shared,
                None => {
                    let window = (report.start, report.end);
                    let proxy = ProxyCalls::read(self.recorder.ledger(), &place, window).await?;
                    (Arc::new(proxy), Arc::default())
                }
            };
            before = Some(source.kms);
            shared = Some((proxy.clone(), seen.clone()));
            // The pages since the groups were last written.
            let held = Arc::new(Mutex::new(Page::default()));
            let (at, to, all, since) = (place.clone(), output.clone(), groups.clone(), held.clone());
            let work = move |events: Vec<TrailEvent>, page: Page| {
                let (mut all, mut held) = (lock(&all), lock(&since));
                let is_last = page.next.is_none();
                held.add(page);
                all.add(&at, &proxy, &events)?;
                if held.pages >= PAGES_PER_FLUSH || is_last {
                    return to.replace(&all.rows(), |checkpoint| std::mem::take(&mut *held).put_into(checkpoint));
                }
                let mut seen = to.checkpoint();
                held.put_into(&mut seen);
                *lock(&to.live) = ReportCounts { rows: all.len() as u64, ..seen.counts() };
                Ok(())
            };
            let outcome = self.read_trail((report, index, log), &place, output, seen, work).await;
            if outcome.is_err() {
                // The groups until then are kept.
                let (to, all) = (output.clone(), groups.clone());
                let keep = move || to.replace(&lock(&all).rows(), |checkpoint| lock(&held).put_into(checkpoint));
                self.on_worker(keep).await?;
            }
            outcome?;
            self.next_source(report, output, index).await?;
        }
        Ok(())
    }

    async fn key_aging(&self, report: &Report, output: &Output) -> Result<(), Failure> {
        self.begin_again(output).await?;
        for source in &report.sources {
            let place = self.place(source.kms)?;
            let owners = key_aging::owners(self.recorder.ledger(), &place).await?;
            let (to, now) = (output.clone(), self.recorder.now());
            let write = move || {
                let mut keys: Vec<_> = place.published.state.keys_of_kms(place.id()).collect();
                keys.sort_by_key(|key| (key.created, key.id.uuid()));
                for keys in keys.chunks(ROWS_AT_ONCE) {
                    let rows: Vec<Row> =
                        keys.iter().filter_map(|key| key_aging::row(&place, &owners, key, now)).collect();
                    to.append(&rows, |_| ())?;
                }
                Ok(())
            };
            self.on_worker(write).await?;
        }
        Ok(())
    }

    async fn reconciliation(&self, report: &Report, output: &Output) -> Result<(), Failure> {
        self.begin_again(output).await?;
        for (first, ReportSource { kms, .. }) in report.sources.iter().enumerate() {
            // A KMS is compared once, however many log groups it has.
            if sources_of(report, *kms).next().is_some_and(|(index, _)| index < first) {
                continue;
            }
            let place = Arc::new(self.place(*kms)?);
            let (changes, seen) = (Arc::new(Mutex::new(Changes::default())), Arc::<Seen>::default());
            for (index, source) in sources_of(report, *kms) {
                let Some(log) = &source.log else { continue };
                let (own, at, all, to) = (self.own_calls(), place.clone(), changes.clone(), output.clone());
                self.read_trail((report, index, log), &place, output, seen.clone(), move |events, page| {
                    lock(&all).add(&at, &mut lock(&own), &events)?;
                    to.append(&[], |checkpoint| page.put_into(checkpoint))
                })
                .await?;
            }
            let changes = std::mem::take(&mut *lock(&changes));
            for region in place.kms.regions.clone() {
                // The state may have changed since the first region was compared.
                let place = self.place(*kms)?;
                let (reports, to) = (self.clone(), output.clone());
                let found = move |rows: Vec<Row>| -> BoxFuture<'static, Result<(), Failure>> {
                    let (reports, to) = (reports.clone(), to.clone());
                    Box::pin(async move { reports.append(&to, rows, 0).await })
                };
                reconciliation::compare(&self.cloud, &self.recorder, (&place, &changes, &region), &found).await?;
            }
        }
        Ok(())
    }

    /// Reads the pages of a source, from the token of the checkpoint on, and passes each to `work` on the worker.
    async fn read_trail(
        &self,
        (report, index, log): (&Report, usize, &LogPlace),
        place: &Place,
        output: &Output,
        seen: Arc<Seen>,
        work: impl FnMut(Vec<TrailEvent>, Page) -> Result<(), Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let checkpoint = output.checkpoint();
        if checkpoint.source == index && checkpoint.is_trail_read {
            return Ok(());
        }
        let is_begun = checkpoint.source == index && !checkpoint.token.is_empty();
        let token = is_begun.then(|| Marker::new(checkpoint.token));
        let source = TrailSource { kms: place.id(), region: log.region.clone(), log_group: log.group.clone() };
        let window = TrailWindow { start: report.start, end: report.end };
        let mut reader = self.trails.reader(source, window, token).remembering(seen);
        let work = Arc::new(Mutex::new(work));
        loop {
            let work = work.clone();
            let next = reader.next_page(move |read| {
                let page = Page {
                    source: index,
                    next: read.next.map(|marker| marker.as_str().to_owned()),
                    events_read: read.counts.read,
                    pages: 1,
                    skipped: read.counts.skipped,
                };
                let mut work = lock(&work);
                work(read.events, page)
            });
            let used = tokio::time::timeout_at(output.deadline, next).await;
            match used.map_err(|_| Failure::Internal("the report was not finished in time"))?? {
                Some(used) => {
                    used.result?;
                    tracing::debug!(report = %report.id, counts = ?used.counts, next = ?used.next, "a page was read");
                }
                None => return Ok(()),
            }
        }
    }

    /// Begins a kind of report anew that keeps no place.
    async fn begin_again(&self, output: &Output) -> Result<(), Failure> {
        let to = output.clone();
        self.on_worker(move || to.replace(&[], |checkpoint| *checkpoint = Checkpoint::default())).await
    }

    /// Appends rows that our log has up to a record; 0 for rows that come from elsewhere.
    async fn append(&self, output: &Output, rows: Vec<Row>, next_record: u64) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let to = output.clone();
        self.on_worker(move || to.append(&rows, |checkpoint| checkpoint.next_record = next_record)).await
    }

    /// Notes that a source is done.
    async fn next_source(&self, report: &Report, output: &Output, index: usize) -> Result<(), Failure> {
        let (to, kms) = (output.clone(), |index: usize| report.sources.get(index).map(|source| source.kms));
        let is_other_kms = kms(index) != kms(index + 1);
        self.on_worker(move || to.append(&[], |checkpoint| checkpoint.go_on(index + 1, is_other_kms))).await
    }

    /// The KMS of a source, as it is now.
    fn place(&self, kms: KmsId) -> Result<Place, Failure> {
        let published = self.recorder.state();
        let kms = published.state.kms(kms)?.clone();
        Ok(Place::new(published, kms))
    }

    fn own_calls(&self) -> Arc<Mutex<OwnCallsByTime>> {
        Arc::new(Mutex::new(OwnCallsByTime::new(self.trails.call_journal().clone())))
    }
}

/// What the sources of a KMS share in a report of key activity.
struct Joined {
    place: Arc<Place>,
    proxy: Arc<Mutex<ProxyCalls>>,
    seen: Arc<Seen>,
}

/// The sources of a KMS, each with its number.
fn sources_of(report: &Report, kms: KmsId) -> impl Iterator<Item = (usize, &ReportSource)> {
    report.sources.iter().enumerate().filter(move |(_, source)| source.kms == kms)
}
