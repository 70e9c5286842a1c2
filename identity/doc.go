// Package identity watches whether the person in front of the camera is still the same. Whatever puts that in doubt is looked at more
// closely, and where the doubt remains, the evidence starts again (liveproof.ReasonFaceChanged, liveproof.ReasonSceneCut). The package only
// ever takes evidence away; it makes nothing live.
//
// # Signs
//
//   - Cuts. The pipeline compares each decoded picture with the one before (liveproof.View.Cut).
//   - Appearance. Each view is described by the texture and the colours of head and shoulders, aligned by the landmarks, and by the coarse
//     luma of the whole picture. It is compared with the views of the last seconds that are at least 0.75 s older.
//   - Embedding. Where a model file is there, a network tells faces apart by the cosine of two embeddings. It costs tens of milliseconds, so
//     it is asked only in doubt, and every Config.Every while there is none, and a live stream does not wait for it (Watcher).
//
// # Decision
//
//   - A sure cut restarts the evidence, unless the embedder says that the face is the same. If the embedder fails or is not in time,
//     an appearance of at least Config.Sure says so in its place. Without an embedder every sure cut restarts.
//   - A person who looks different (below Config.Alike) in four views, while the scene differs too, was faded out: restart. In the same scene
//     it takes six views, or two after a likely cut. The embedder's "same" ends such a series. While the embedder is not sure, it takes eight
//     views, or four of another scene; four comparisons that are near enough keep the person. Until the series ends, nothing is decided
//     (liveproof.Finding.Unsettled).
//   - A series that is interrupted goes on: whoever looks different in twelve views more than not is another. A face that is scored for two
//     seconds without being compared is too.
//   - Two comparisons in a row with a cosine below Config.Other restart, whatever the appearance is.
//
// A view that is not scored, or in which the face is turned, is neither compared nor remembered, but after a sure cut it restarts, or is
// compared if it can be aligned. Without landmarks (Haar cascade) only cuts count.
//
// Everything is kept in the session's memory: at most 30 descriptions (170 KB) and three embeddings. The first face is kept as a picture of
// 112×112 pixels until it is embedded, which happens when it is first needed. While the embedder is at work, up to eight more such pictures
// wait (150 KB each).
package identity
