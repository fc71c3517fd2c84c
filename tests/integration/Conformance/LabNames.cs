using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>The repositories with names that are valid and odd, each with the small image.</summary>
internal static class LabNames
{
    private static readonly string[] All =
    [
        "a", "0/9", "single", "a/b/c/d/e/f/g", "dot/a.b", "under/a_b", "under/a__b", "dash/a-b", "dash/a-----b", "mix/a.b_c__d-e--f", "long/" + new string('n', 250), "words/manifests",
        "words/manifests/manifests", "words/blobs/more", "words/blobs/uploads", "words/tags/list", "words/referrers/more", "v2/thing",
    ];

    public static void AddTo(MemoryRegistry registry, LabContents contents)
    {
        foreach (var name in All)
        {
            var repository = registry.Repository(name);
            repository.AddManifest(contents["small"].Bytes, MediaTypes.OciManifest, "1");
            repository.AddBlob(contents["layer"].Bytes);
        }
    }
}
