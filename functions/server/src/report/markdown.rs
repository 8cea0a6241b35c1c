//! A review as Markdown: the summary as it stands on a pull request, then each finding with its place and its line.

use autopr_core::diff::Side;
use autopr_core::review::Review;
use autopr_core::review::markdown::{code, comment, quoted, summary};

/// The whole review on one page.
pub(super) fn render(review: &Review) -> String {
    let mut page = summary(review);
    for finding in &review.findings {
        let Some(location) = &finding.location else { continue };
        let lines = if location.start == location.end {
            format!("{}", location.start)
        } else {
            format!("{}-{}", location.start, location.end)
        };
        let removed = if location.side == Side::Left { " (removed)" } else { "" };
        page.push_str(&format!("\n#### {}{removed}\n\n", code(&format!("{}:{lines}", location.path))));
        if !finding.evidence.is_empty() {
            page.push_str(&format!("{}\n\n", quoted(&finding.evidence)));
        }
        page.push_str(&comment(finding));
    }
    page
}

#[cfg(test)]
mod tests {
    use crate::report::samples::{check, print, review};
    use crate::report::{Format, Style};

    #[test]
    fn a_review() {
        let review = review();
        let page = print(&review, &check(&review), Format::Markdown, Style { colour: false, width: 80 });
        insta::assert_snapshot!(page, @r#"
        ### AutoPR review: 6 findings, 1 of them blocks merging

        1 critical, 1 medium, 1 low, 1 info, 2 left out by `review.max_findings`.

        #### On the change as a whole

        - **Info:** code changed, tests did not

          A change without a test may break unseen. **Fix:** Add one.

          <sub>`tests/missing`. To leave files out, add them to `review.ignore` in `.autopr.yml`.</sub>

        **Covered:** 12 files (+120 −30) at `abcdef1234`, by deterministic analysers only: no language model is configured.

        #### Not covered

        - `Cargo.lock`: left out by review.ignore
        - `src/big.rs`: too large for one model call

        #### Problems in the configuration

        - .autopr.yml:3:5: unknown key `revew`, did you mean `review`?

        #### `src/config with space.rs:14`

        ```
        	let token = "[github-token …wxyz]"; // 日本
        ```

        **Critical:** GitHub token in the source

        Who can read the source, now or later in its history, can act as the token's owner until the token is revoked.

        **Fix:** Revoke the token, then read it from the environment.

        <sub>To silence this here, write `autopr:ignore secret/github-token` in a comment on the line.</sub>

        #### `src/lib.rs:99-100`

        ```
        for i in 0..=len {
            visit(items[i]);
        ```

        **Medium:** off by one

        `i` reaches `len`.

        **Fix:** Use a range that excludes the end.

        ```suggestion
        for item in items {
            visit(item);
        ```

        <sub>Found by the language model `openai/m-1`.</sub>

        #### `src/lib.rs:7` (removed)

        ```
            assert!(ready);
        ```

        **Low:** a check is gone

        It guarded the call.

        **Fix:** Keep it.

        <sub>To silence this here, write `autopr:ignore debug/leftover` in a comment on the line.</sub>
        "#);
    }
}
