using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>Manifests of one upstream.</summary>
internal sealed class ManifestRequests(UpstreamExchange exchange)
{
    public async Task<UpstreamResult<ManifestHead>> HeadAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        using (await exchange.Slots.AcquireAsync(forBlob: false, cancellationToken))
        {
            var call = Call(HttpMethod.Head, repository, reference);
            var sent = await exchange.SendAsync(call, cancellationToken);
            if (!sent.IsSuccess)
                return sent.Failure;

            using var reply = sent.Value;
            if (reply.Response.IsSuccessStatusCode)
            {
                if (exchange.FindFault(reply, call, WantedDigest(reference)) is { } fault)
                    return fault;
                return new ManifestHead(Replies.HeaderDigest(reply.Response), reply.Response.Content.Headers.ContentLength, Replies.MediaType(reply.Response));
            }

            // A registry that knows no HEAD here, or whose refusal a HEAD cannot explain: the GET costs a pull but tells the truth.
            if ((int)reply.Status is not (400 or 405 or 501))
                return await exchange.FailAsync(reply, call, cancellationToken);
        }

        var got = await GetAsync(repository, reference, cancellationToken);
        return got.IsSuccess ? new ManifestHead(got.Value.Digest, got.Value.Bytes.Length, got.Value.MediaType) : got.Failure;
    }

    public async Task<UpstreamResult<ManifestBody>> GetAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        using var slot = await exchange.Slots.AcquireAsync(forBlob: false, cancellationToken);
        var call = Call(HttpMethod.Get, repository, reference);
        var sent = await exchange.SendAsync(call, cancellationToken);
        if (!sent.IsSuccess)
            return sent.Failure;

        using var reply = sent.Value;
        if (!reply.Response.IsSuccessStatusCode)
            return await exchange.FailAsync(reply, call, cancellationToken);

        var wanted = WantedDigest(reference);
        if (exchange.FindFault(reply, call, wanted) is { } fault)
            return fault;

        var expected = wanted ?? Replies.HeaderDigest(reply.Response);
        var mediaType = Replies.MediaType(reply.Response);
        var read = await exchange.ReadAsync(reply, call, UpstreamClient.MaxManifestBytes, cancellationToken);
        if (!read.IsSuccess)
            return read.Failure;

        // Its own bytes name it, unless it is a signed schema 1, which some registries keep by its payload and some by its bytes.
        if (expected is { } own && Hash(read.Value.Span, own) == own)
            return new ManifestBody(read.Value, mediaType, own);
        ReadOnlyMemory<byte> named;
        try
        {
            named = SignedManifest.PayloadOrNull(read.Value, mediaType) ?? read.Value;
        }
        catch (InvalidManifestException exception)
        {
            return exchange.Fail(FetchOutcome.Corrupt, $"sent a signed manifest that can't be trusted as {call.Subject}: {exception.Message.TrimEnd('.')}");
        }

        var actual = Hash(named.Span, expected);
        if (expected is { } promised && promised != actual)
            return exchange.Fail(FetchOutcome.Corrupt, $"sent content of digest {actual} as {call.Subject}, expected {promised}");
        return new ManifestBody(read.Value, mediaType, actual);
    }

    private static Digest Hash(ReadOnlySpan<byte> content, Digest? expected)
    {
        if (expected is not { } digest)
            return Digest.Sha256Of(content);

        using var hash = digest.CreateHash();
        hash.AppendData(content);
        return Digest.FromHash(digest.Algorithm, hash.GetHashAndReset());
    }

    private static Digest? WantedDigest(string reference) => Digest.TryParse(reference, out var digest) ? digest : null;

    private UpstreamCall Call(HttpMethod method, string repository, string reference)
    {
        Arguments.CheckRepository(repository);
        if (!Digest.TryParse(reference, out _) && !Tag.TryParse(reference, out _))
            throw new ArgumentException("A manifest is named by a tag or a digest.", nameof(reference));

        var separator = reference.Contains(':', StringComparison.Ordinal) ? '@' : ':';
        return new UpstreamCall(method, exchange.Upstream.ApiUri($"{repository}/manifests/{reference}"), repository, $"manifest {repository}{separator}{reference}")
        {
            Accept = MediaTypes.ManifestAccept,
        };
    }
}
