using System.Text.Json;
using System.Text.Json.Nodes;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Images;

/// <summary>Makes images, the same digests each time for the same arguments. Nothing is pushed: see <see cref="RegistryPusher"/>.</summary>
public static class ImageMaker
{
    private const string Created = "2024-01-01T00:00:00Z";

    /// <summary>A small image: one layer with a program that says hello, and a file that holds <paramref name="text"/>.</summary>
    /// <param name="text">Another text makes another image, for tests in which a tag moves.</param>
    /// <param name="docker">Docker's media types in place of OCI's.</param>
    /// <param name="compression">How the layer is packed.</param>
    public static Image Small(string text = "small", bool docker = false, Compression compression = Compression.Gzip) =>
        FromLayers(
            [LayerMaker.OfFiles([("hello", HelloProgram.Bytes, Program), ("text", System.Text.Encoding.UTF8.GetBytes(text), Data)], compression)], docker);

    /// <summary>An image of many layers, the first with the hello program, the others of 16 to 256 KiB of incompressible bytes.</summary>
    public static Image ManyLayers(int count = 40, int seed = 1, bool docker = false) =>
        FromLayers(
            [LayerMaker.Hello(), .. Enumerable.Range(1, count - 1).Select(i => LayerMaker.Incompressible((16 + (i * 37 % 240)) << 10, (seed * 1000) + i))], docker);

    /// <summary>An image of one layer of so many MiB of incompressible bytes, streamed to <paramref name="folder"/>.</summary>
    /// <param name="sizeMiB">Size of the one file in the layer; the layer is larger by less than 0.1 %.</param>
    /// <param name="seed">Other bytes for another seed.</param>
    /// <param name="folder">Where the layer lies until it is pushed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Image> BigAsync(int sizeMiB, int seed, TempFolder folder, CancellationToken cancellationToken = default) =>
        FromLayers([await LayerMaker.IncompressibleOnDiskAsync((long)sizeMiB << 20, seed, folder, cancellationToken)]);

    /// <summary>An image of these layers.</summary>
    /// <param name="layers">The layers, lowest first.</param>
    /// <param name="docker">Docker's media types in place of OCI's.</param>
    /// <param name="architecture">As the config says it.</param>
    /// <param name="configSize">The config's size in bytes, reached by an environment variable; 0 leaves it as it is.</param>
    public static Image FromLayers(IReadOnlyList<Layer> layers, bool docker = false, string architecture = "amd64", int configSize = 0)
    {
        var bytes = Config(layers, architecture, "PATH=/");
        if (configSize > 0) bytes = Config(layers, architecture, "PATH=/" + new string('x', configSize - bytes.Length));
        var config = Content.Of(bytes);
        var mediaType = docker ? MediaTypes.DockerManifest : MediaTypes.OciManifest;
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = mediaType,
            ["config"] = Descriptor(docker ? MediaTypes.DockerConfig : MediaTypes.OciConfig, config),
            ["layers"] = new JsonArray([.. layers.Select(layer => (JsonNode)Descriptor(LayerType(layer, docker), layer.Content))]),
        });
        return new Image(mediaType, manifest, config, layers, []);
    }

    /// <summary>An index of one small image per platform, that share a layer.</summary>
    /// <param name="docker">A Docker manifest list in place of an OCI index.</param>
    /// <param name="platforms">For example <c>amd64</c>, <c>arm64/v8</c>; by default amd64, arm64/v8 and arm/v7.</param>
    public static Image Index(bool docker = false, params string[] platforms)
    {
        if (platforms.Length == 0) platforms = ["amd64", "arm64/v8", "arm/v7"];
        var shared = LayerMaker.Hello();
        var children = platforms.Select(platform =>
            FromLayers([shared, LayerMaker.OfFiles([("platform", System.Text.Encoding.UTF8.GetBytes(platform), Data)])], docker, platform.Split('/')[0])).ToArray();
        var manifests = children.Zip(platforms, (child, platform) =>
        {
            var parts = platform.Split('/');
            var entry = Descriptor(child.MediaType, child.Manifest);
            entry["platform"] = new JsonObject { ["architecture"] = parts[0], ["os"] = "linux" };
            if (parts.Length > 1) entry["platform"]!["variant"] = parts[1];
            return (JsonNode)entry;
        });
        var mediaType = docker ? MediaTypes.DockerList : MediaTypes.OciIndex;
        var index = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = mediaType, ["manifests"] = new JsonArray([.. manifests]) };
        return new Image(mediaType, JsonSerializer.SerializeToUtf8Bytes(index), config: null, [], children);
    }

    private const UnixFileMode Data = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode Program = Data | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static byte[] Config(IReadOnlyList<Layer> layers, string architecture, string variable) =>
        JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["created"] = Created,
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/hello"), ["Env"] = new JsonArray(variable) },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)layer.DiffId)]) },
            ["history"] = new JsonArray([.. layers.Select((_, i) => (JsonNode)new JsonObject { ["created"] = Created, ["created_by"] = $"layer {i}" })]),
        });

    private static JsonObject Descriptor(string mediaType, Content content) =>
        new() { ["mediaType"] = mediaType, ["digest"] = content.Digest, ["size"] = content.Size };

    private static string LayerType(Layer layer, bool docker) => (docker, layer.Compression) switch
    {
        (true, _) => MediaTypes.DockerLayer,
        (_, Compression.Gzip) => MediaTypes.OciLayer + "+gzip",
        (_, Compression.Zstd) => MediaTypes.OciLayer + "+zstd",
        _ => MediaTypes.OciLayer,
    };
}
