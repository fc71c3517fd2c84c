using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Entrepot.TestSupport.Images;

namespace Entrepot.TestSupport.Clients;

/// <summary>
/// Speaks to a registry as oras-go does, and as cosign does through it or through go-containerregistry: the same requests in the same
/// order, and what those libraries refuse is an exception. It stands in for <c>oras</c> and <c>cosign</c>, which no package brings here.
/// Safe to use from several threads. Source: oras-go, registry/remote/repository.go; go-containerregistry, pkg/v1/remote/fetcher.go.
/// </summary>
/// <param name="registryUrl">Entrepot's URL.</param>
/// <param name="repository">For example <c>library/small</c>, or with a registry in front.</param>
public sealed partial class OrasStyleClient(Uri registryUrl, string repository) : IDisposable
{
    // As oras asks for tags; the last is the artifact manifest of a draft.
    private const string AcceptManifests = $"{MediaTypes.DockerManifest}, {MediaTypes.DockerList}, {MediaTypes.OciManifest}, {MediaTypes.OciIndex}, application/vnd.oci.artifact.manifest.v1+json";

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AutomaticDecompression = DecompressionMethods.None }) { BaseAddress = registryUrl };

    /// <summary>The X-Cache header of each answer, in order.</summary>
    public IReadOnlyList<string> XCache
    {
        get { lock (_xCache) return [.. _xCache]; }
    }

    private readonly List<string> _xCache = [];

    /// <summary>HEAD of a manifest: the descriptor its headers make up.</summary>
    /// <param name="reference">A tag or a digest.</param>
    /// <exception cref="HttpRequestException">The status is not 200.</exception>
    /// <exception cref="InvalidDataException">Content-Type, Content-Length or Docker-Content-Digest is missing, or the digest is another.</exception>
    public async Task<OrasDescriptor> ResolveAsync(string reference)
    {
        using var answer = await SendAsync(HttpMethod.Head, $"manifests/{reference}", AcceptManifests);
        return DescriptorOf(answer, reference);
    }

    /// <summary>GET of a manifest by tag or digest, as cosign gets a signature by its tag.</summary>
    /// <inheritdoc cref="ResolveAsync"/>
    public async Task<(OrasDescriptor Descriptor, byte[] Bytes)> FetchReferenceAsync(string reference)
    {
        using var answer = await SendAsync(HttpMethod.Get, $"manifests/{reference}", AcceptManifests);
        var descriptor = DescriptorOf(answer, reference);
        return (descriptor, await ReadAsync(answer, descriptor));
    }

    /// <summary>GET of a manifest of a known descriptor, which must come with just this type, size and digest.</summary>
    /// <exception cref="HttpRequestException">The status is not 200.</exception>
    /// <exception cref="InvalidDataException">A header or the bytes do not fit the descriptor.</exception>
    public async Task<byte[]> FetchManifestAsync(OrasDescriptor target)
    {
        ArgumentNullException.ThrowIfNull(target);
        using var answer = await SendAsync(HttpMethod.Get, $"manifests/{target.Digest}", target.MediaType);
        Check(answer.Content.Headers.ContentType?.MediaType == target.MediaType, answer, $"Content-Type {answer.Content.Headers.ContentType} is not {target.MediaType}");
        Check(DigestHeader(answer) is var digest && (digest is null || digest == target.Digest), answer, $"Docker-Content-Digest {digest} is not {target.Digest}");
        return await ReadAsync(answer, target);
    }

    /// <summary>GET of a blob of a known descriptor.</summary>
    /// <inheritdoc cref="FetchManifestAsync"/>
    public async Task<byte[]> FetchBlobAsync(OrasDescriptor target)
    {
        ArgumentNullException.ThrowIfNull(target);
        using var answer = await SendAsync(HttpMethod.Get, $"blobs/{target.Digest}", accept: null);
        Check(answer.Content.Headers.ContentLength is var length && (length is null || length == target.Size), answer, $"Content-Length {length} is not {target.Size}");
        Check(DigestHeader(answer) is var digest && (digest is null || digest == target.Digest), answer, $"Docker-Content-Digest {digest} is not {target.Digest}");
        return await ReadAsync(answer, target);
    }

    /// <summary>
    /// The referrers of a subject by the API, page by page. A 404, or another type than an index, is refused: oras would turn to the
    /// fallback tag then, and a cache that answers for registries without the API must never make it.
    /// </summary>
    /// <param name="subject">The subject's digest.</param>
    /// <param name="artifactType">Only those of this type; null is all.</param>
    /// <exception cref="HttpRequestException">The status is not 200.</exception>
    /// <exception cref="InvalidDataException">The answer is no index.</exception>
    public async Task<IReadOnlyList<OrasDescriptor>> ReferrersAsync(string subject, string? artifactType = null)
    {
        var found = new List<OrasDescriptor>();
        var path = $"referrers/{subject}{(artifactType is null ? "" : $"?artifactType={Uri.EscapeDataString(artifactType)}")}";
        while (path is not null)
        {
            using var answer = await SendAsync(HttpMethod.Get, path, accept: null);
            Check(answer.Content.Headers.ContentType?.ToString() == MediaTypes.OciIndex, answer, $"Content-Type {answer.Content.Headers.ContentType} is not {MediaTypes.OciIndex}");
            using var index = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync());
            var page = index.RootElement.GetProperty("manifests").EnumerateArray().Select(OrasDescriptor.Of);
            var isFiltered = answer.Headers.TryGetValues("OCI-Filters-Applied", out var filters) && filters.Any(filter => filter.Contains("artifactType", StringComparison.Ordinal));
            found.AddRange(artifactType is null || isFiltered ? page : page.Where(descriptor => descriptor.ArtifactType == artifactType));
            path = answer.Headers.TryGetValues("Link", out var links) ? NextPage().Match(links.First()).Groups["url"].Value : null;
        }

        return found;
    }

    /// <summary><c>oras pull</c>: HEAD of the tag, GET of the manifest by digest, GET of each blob; every byte is checked.</summary>
    /// <param name="reference">A tag or a digest.</param>
    /// <exception cref="HttpRequestException">A status is not 200.</exception>
    /// <exception cref="InvalidDataException">Something does not fit its descriptor.</exception>
    /// <returns>The manifest's descriptor, and the layers' bytes.</returns>
    public async Task<(OrasDescriptor Manifest, IReadOnlyList<byte[]> Layers)> PullAsync(string reference)
    {
        var descriptor = await ResolveAsync(reference);
        using var manifest = JsonDocument.Parse(await FetchManifestAsync(descriptor));
        await FetchBlobAsync(OrasDescriptor.Of(manifest.RootElement.GetProperty("config")));
        var layers = new List<byte[]>();
        foreach (var layer in manifest.RootElement.GetProperty("layers").EnumerateArray()) layers.Add(await FetchBlobAsync(OrasDescriptor.Of(layer)));
        return (descriptor, layers);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    // A path that begins with a slash is a link of the server's own.
    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? accept)
    {
        using var request = new HttpRequestMessage(method, new Uri(path.StartsWith('/') ? path : $"/v2/{repository}/{path}", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("User-Agent", "oras-go");
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (answer.Headers.TryGetValues("X-Cache", out var values)) lock (_xCache) _xCache.AddRange(values);
        if (answer.StatusCode == HttpStatusCode.OK) return answer;
        using (answer) throw new HttpRequestException($"{method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}", inner: null, answer.StatusCode);
    }

    private static OrasDescriptor DescriptorOf(HttpResponseMessage answer, string reference)
    {
        var digest = DigestHeader(answer);
        Check(answer.Content.Headers.ContentType?.MediaType is { Length: > 0 }, answer, "no Content-Type");
        Check(answer.Content.Headers.ContentLength is not null, answer, "no Content-Length");

        // oras does without on GET, go-containerregistry never does.
        Check(digest is not null, answer, "no Docker-Content-Digest");
        Check(!reference.Contains(':', StringComparison.Ordinal) || reference == digest, answer, $"Docker-Content-Digest {digest} is not {reference}");
        return new OrasDescriptor(answer.Content.Headers.ContentType!.MediaType!, digest!, answer.Content.Headers.ContentLength!.Value);
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage answer, OrasDescriptor target)
    {
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        Check(bytes.Length == target.Size, answer, $"{bytes.Length} bytes came, not {target.Size}");
        Check(Content.DigestOf(bytes) == target.Digest, answer, $"the bytes are {Content.DigestOf(bytes)}, not {target.Digest}");
        return bytes;
    }

    private static string? DigestHeader(HttpResponseMessage answer) => answer.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.Single() : null;

    private static void Check(bool holds, HttpResponseMessage answer, string otherwise)
    {
        if (!holds) throw new InvalidDataException($"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri}: {otherwise}");
    }

    [GeneratedRegex("<(?<url>[^>]+)>", RegexOptions.ExplicitCapture)]
    private static partial Regex NextPage();
}
