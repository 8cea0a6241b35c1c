//! What a review means for its head commit.

use super::{Check, Review, Severity, Verdict, markdown};

impl Review {
    /// The verdict: a failure when a finding blocks; a success only when none
    /// was found, none may be among those left out, and nothing was skipped that should have been looked at; neutral
    /// otherwise.
    pub fn verdict(&self) -> Verdict {
        if self.blocking() > 0 {
            return Verdict::Failure;
        }
        // The findings are sorted, so those left out are no worse than the last one kept.
        let unknown = self.omitted > 0 && self.findings.is_empty();
        if unknown || self.coverage.skipped.iter().any(|skipped| skipped.incomplete) {
            Verdict::Neutral
        } else {
            Verdict::Success
        }
    }

    /// The check `autopr/review` that this review gives its head commit.
    pub fn check(&self) -> Check {
        let verdict = self.verdict();
        Check { head: self.head.clone(), verdict, title: self.headline(), summary: markdown::check_summary(self) }
    }

    /// The verdict in one line, with the number of findings.
    pub fn headline(&self) -> String {
        let total = self.findings.len() + self.omitted as usize;
        let found = match total {
            0 => "no findings".to_owned(),
            1 => "1 finding".to_owned(),
            _ => format!("{total} findings"),
        };
        match self.verdict() {
            Verdict::Success if total == 0 => "no findings".to_owned(),
            Verdict::Success => format!("{found}, none blocking"),
            Verdict::Failure => {
                let blocking = self.blocking();
                match (total, blocking) {
                    (1, _) => "1 finding, which blocks merging".to_owned(),
                    (_, 1) => format!("{found}, 1 of them blocks merging"),
                    _ => format!("{found}, {blocking} of them block merging"),
                }
            }
            Verdict::Neutral => format!("{found}, but not everything was reviewed"),
        }
    }

    /// How many findings there are of each severity that has any, the most severe first.
    pub fn counts(&self) -> Vec<(Severity, usize)> {
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let all = Severity::ALL.into_iter().rev().map(|severity| (severity, count(severity)));
        all.filter(|(_, count)| *count > 0).collect()
    }

    fn blocking(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity >= self.block_on).count()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::samples::{finding, review, skipped};
    use super::*;

    #[rstest]
    #[case::nothing_found(&[], 0, &[], Verdict::Success)]
    #[case::below_the_line(&[Severity::Medium, Severity::Low], 0, &[], Verdict::Success)]
    #[case::on_the_line(&[Severity::High], 0, &[], Verdict::Failure)]
    #[case::above_the_line(&[Severity::Critical, Severity::Info], 0, &[], Verdict::Failure)]
    #[case::left_out_below_the_line(&[Severity::Medium], 7, &[], Verdict::Success)]
    #[case::left_out_unknown(&[], 1, &[], Verdict::Neutral)]
    #[case::ignored_by_request(&[], 0, &[false], Verdict::Success)]
    #[case::not_looked_at(&[Severity::Low], 0, &[false, true], Verdict::Neutral)]
    #[case::blocking_and_not_looked_at(&[Severity::High], 0, &[true], Verdict::Failure)]
    fn the_verdict(
        #[case] severities: &[Severity],
        #[case] omitted: u32,
        #[case] incomplete: &[bool],
        #[case] expect: Verdict,
    ) {
        let mut review = review(severities.iter().map(|severity| finding(*severity)).collect());
        review.omitted = omitted;
        review.coverage.skipped = incomplete.iter().map(|incomplete| skipped(*incomplete)).collect();
        assert_eq!(review.verdict(), expect);
        let check = review.check();
        assert_eq!((check.verdict, check.head), (expect, review.head));
    }

    #[test]
    fn headlines() {
        let all = |severities: &[Severity]| review(severities.iter().map(|severity| finding(*severity)).collect());
        let mut partial = all(&[]);
        partial.coverage.skipped = vec![skipped(true)];
        let texts = [
            all(&[]).headline(),
            all(&[Severity::Low]).headline(),
            all(&[Severity::High]).headline(),
            all(&[Severity::Critical, Severity::High, Severity::Low]).headline(),
            partial.headline(),
        ];
        insta::assert_snapshot!(texts.join("\n"), @"
        no findings
        1 finding, none blocking
        1 finding, which blocks merging
        3 findings, 2 of them block merging
        no findings, but not everything was reviewed
        ");
    }
}
