using Entrepot.Bench.Running;

namespace Entrepot.Bench.Upstreams;

/// <summary>Lays images out as docker-registry stores them, by links to files that are there already. Source: distribution 2.8, registry/storage/paths.go.</summary>
/// <param name="work">Where <see cref="RegistryFiles"/> lie.</param>
/// <param name="root">The root directory for docker-registry.</param>
internal sealed class RegistryStorage(WorkFolder work, string root)
{
    private readonly string _registry = Path.Combine(root, "docker", "registry", "v2");

    /// <summary>Adds an image.</summary>
    public void Add(BenchImage image)
    {
        var repository = Path.Combine(_registry, "repositories", image.Repository);
        foreach (var blob in image.Layers.Append(image.Config))
        {
            AddBlob(image.PathOf(blob), blob.Digest);
            Link(Path.Combine(repository, "_layers", "sha256", HexOf(blob.Digest)), blob.Digest);
        }

        AddBlob(image.ByDigest, image.Digest);
        var manifests = Path.Combine(repository, "_manifests");
        Link(Path.Combine(manifests, "revisions", "sha256", HexOf(image.Digest)), image.Digest);
        Link(Path.Combine(manifests, "tags", image.Tag, "current"), image.Digest);
        Link(Path.Combine(manifests, "tags", image.Tag, "index", "sha256", HexOf(image.Digest)), image.Digest);
    }

    private static string HexOf(string digest) => digest["sha256:".Length..];

    private static void Link(string folder, string digest)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "link"), digest);
    }

    private void AddBlob(string path, string digest)
    {
        var hex = HexOf(digest);
        var folder = Directory.CreateDirectory(Path.Combine(_registry, "blobs", "sha256", hex[..2], hex)).FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "data"), Path.Combine(work.Images, path[1..]));
    }
}
