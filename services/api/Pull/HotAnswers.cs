using Entrepot.Api.Access;
using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// Answers hits ahead of everything else: a target that was answered from memory a moment ago is answered so again, with one look-up by its text,
/// while the index still holds the same entries for it. Whatever is special about a request takes the ordinary way (docs/adr/0009).
/// </summary>
internal sealed class HotAnswers(ApiOptions options, PlatformOptions platform, AccessRecorder access, ApiMetrics metrics, TimeProvider time, ILogger<HotAnswers> log) : IShortcut
{
    private readonly BoundedCache<HotKey, HotAnswer> _answers = new(options.IndexBytes / 16);
    private readonly int _traceOneOf = platform.Telemetry.OtlpEndpoint is null ? 0 : platform.Telemetry.HitSampling;

    private const int LongestKey = 512;

    // Who logs every hit wants to see every hit.
    private readonly bool _isOff = log.IsEnabled(LogLevel.Debug);

    public Task? AnswerOrNull(IFeatureCollection request)
    {
        var asked = request.Get<IHttpRequestFeature>()!;
        var headers = asked.Headers;
        if (!_answers.TryGet(new HotKey(asked.RawTarget, headers.Host.ToString()), out var answer)) return null;
        if (answer.ContentIfStanding(headers, time, options.IndexEntryLasts) is not { } content) return null;
        var isHead = asked.Method == HttpMethods.Head;
        if (!isHead && asked.Method != HttpMethods.Get) return null;
        if (IsTraced(request, headers)) return null;

        answer.WriteHead(request.Get<IHttpResponseFeature>()!.Headers, content, time);
        access.Record(answer.Accesses);
        var body = isHead ? default : answer.BodyOf(content);
        answer.Count.Add(body.Length);
        if (isHead) return Task.CompletedTask;
        var writing = request.Get<IHttpResponseBodyFeature>()!.Writer.WriteAsync(body);
        return writing.IsCompletedSuccessfully ? Task.CompletedTask : writing.AsTask();
    }

    /// <summary>Keeps a manifest that was just answered, as held and confirmed.</summary>
    public void Remember(PullRequest pull, ManifestEntry manifest, TagEntry? tag)
    {
        var key = KeyOf(pull);
        if (_isOff || !manifest.IsCurrent || key.Length > LongestKey) return;
        if (_answers.TryGet(key, out var known) && known is HotManifest hot && hot.IsOf(manifest, tag)) return;
        _answers.Set(key, new HotManifest(manifest, tag, pull.Namespace, metrics.Of(pull.Upstream.Name, "manifest", CacheState.Hit)) { LoadedAt = time.GetTimestamp() });
    }

    /// <summary>Keeps a small blob that was just answered from memory: its entry holds the bytes, and goes on to.</summary>
    public void Remember(PullRequest pull, BlobEntry blob)
    {
        var key = KeyOf(pull);
        if (_isOff || !blob.IsCurrent || key.Length > LongestKey) return;
        if (_answers.TryGet(key, out var known) && known is HotBlob hot && hot.IsOf(blob)) return;
        _answers.Set(key, new HotBlob(blob, pull.Namespace, metrics.Of(pull.Upstream.Name, "blob", CacheState.Hit)) { LoadedAt = time.GetTimestamp() });
    }

    private static HotKey KeyOf(PullRequest pull) => new(pull.Http.Features.Get<IHttpRequestFeature>()!.RawTarget, pull.Http.Request.Headers.Host.ToString());

    /// <summary>Some hits are traced: those that belong to somebody's trace, and one of so many.</summary>
    private bool IsTraced(IFeatureCollection request, IHeaderDictionary headers)
    {
        if (_traceOneOf == 0) return false;
        if (headers.TraceParent.Count > 0) return true;
        if (Random.Shared.Next(_traceOneOf) != 0) return false;
        request.Set(ChosenForTrace.Instance);
        return true;
    }

    /// <summary>What an answer depends on besides its entries: the target holds <c>ns</c>, and the host may name an upstream.</summary>
    private readonly record struct HotKey(string Target, string Host)
    {
        public int Length => Target.Length + Host.Length;
    }
}
