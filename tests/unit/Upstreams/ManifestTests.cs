using System.Text;
using Entrepot.Contracts;
using Entrepot.Oci;
using Entrepot.TestSupport.Images;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Xunit;
using MediaTypes = Entrepot.Oci.MediaTypes;

namespace Entrepot.UnitTests.Upstreams;

public sealed class ManifestTests : UpstreamTest
{
    private static readonly byte[] Manifest = Encoding.UTF8.GetBytes($$"""{ "schemaVersion": 2,  "mediaType": "{{MediaTypes.OciManifest}}" }""");
    private static readonly Digest ManifestDigest = Digest.Sha256Of(Manifest);

    private static async Task SendManifestAsync(HttpContext context, string? digest)
    {
        context.Response.ContentType = MediaTypes.OciManifest + "; charset=utf-8";
        context.Response.ContentLength = Manifest.Length;
        if (digest is not null)
            context.Response.Headers["Docker-Content-Digest"] = digest;
        if (context.Request.Method != "HEAD")
            await context.Response.Body.WriteAsync(Manifest);
    }

    [Fact]
    public async Task HEAD_and_GET_tell_digest_size_type_and_bytes()
    {
        var fake = await StartAsync((context, _) => SendManifestAsync(context, ManifestDigest.ToString()));
        var upstream = To(fake);

        Assert.Equal(new ManifestHead(ManifestDigest, Manifest.Length, MediaTypes.OciManifest), (await Client.HeadManifestAsync(upstream, Repository, "latest", None)).Value);
        foreach (var reference in new[] { "latest", ManifestDigest.ToString() })
        {
            var body = (await Client.GetManifestAsync(upstream, Repository, reference, None)).Value;
            Assert.Equal(Manifest, body.Bytes.ToArray());
            Assert.Equal((ManifestDigest, MediaTypes.OciManifest), (body.Digest, body.MediaType));
        }

        Assert.All(fake.Seen, request => Assert.Equal(MediaTypes.ManifestAccept, request.Accept));
        Assert.Equal($"/v2/{Repository}/manifests/{ManifestDigest}", fake.Seen.Last().Path);
    }

    [Fact]
    public async Task An_upstream_may_leave_the_digest_out()
    {
        var fake = await StartAsync((context, _) => SendManifestAsync(context, digest: null));

        Assert.Null((await Client.HeadManifestAsync(To(fake), Repository, "latest", None)).Value.Digest);
        Assert.Equal(ManifestDigest, (await Client.GetManifestAsync(To(fake), Repository, "latest", None)).Value.Digest);
    }

    [Fact]
    public async Task A_registry_without_HEAD_is_asked_with_GET()
    {
        var fake = await StartAsync(async (context, _) =>
        {
            if (context.Request.Method == "HEAD")
                context.Response.StatusCode = 405;
            else
                await SendManifestAsync(context, digest: null);
        });

        Assert.Equal(ManifestDigest, (await Client.HeadManifestAsync(To(fake), Repository, "latest", None)).Value.Digest);
    }

    [Fact]
    public async Task Bytes_of_another_digest_than_asked_for_or_named_are_corrupt()
    {
        var other = Digest.Sha256Of("other"u8).ToString();
        string? named = null;
        var fake = await StartAsync((context, _) => SendManifestAsync(context, named));

        var failure = AssertFailed(FetchOutcome.Corrupt, await Client.GetManifestAsync(To(fake), Repository, other, None));
        Assert.Contains(other, failure.Message, StringComparison.Ordinal);
        Assert.Contains(ManifestDigest.ToString(), failure.Message, StringComparison.Ordinal);

        named = other;
        AssertFailed(FetchOutcome.Corrupt, await Client.GetManifestAsync(To(fake), Repository, "latest", None));
        AssertFailed(FetchOutcome.Corrupt, await Client.HeadManifestAsync(To(fake), Repository, ManifestDigest.ToString(), None));
    }

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws")]
    [InlineData("application/json")]
    public async Task A_signed_schema_1_comes_as_sent_and_is_named_by_what_was_signed(string type)
    {
        var signed = SignedSchema1.Of([ContentDigest.ToString()]);
        var (sent, named) = (signed.Body, signed.Digest);
        var fake = await StartAsync((context, _) =>
        {
            context.Response.ContentType = type;
            context.Response.Headers["Docker-Content-Digest"] = named;
            return context.Response.Body.WriteAsync(sent).AsTask();
        });

        foreach (var reference in new[] { "1", signed.Digest })
        {
            var body = (await Client.GetManifestAsync(To(fake), Repository, reference, None)).Value;
            Assert.Equal(signed.Body, body.Bytes.ToArray());
            Assert.Equal((signed.Digest, type), (body.Digest.ToString(), body.MediaType));
        }

        // A registry may also keep it by the digest of its bytes, which proves them just as well; another payload's proves nothing.
        named = Digest.Sha256Of(sent).ToString();
        foreach (var reference in new[] { "1", named })
            Assert.Equal(named, (await Client.GetManifestAsync(To(fake), Repository, reference, None)).Value.Digest.ToString());
        (sent, named) = (SignedSchema1.Of([Digest.Sha256Of("x"u8).ToString()]).Body, signed.Digest);
        AssertFailed(FetchOutcome.Corrupt, await Client.GetManifestAsync(To(fake), Repository, "1", None));

        // Without its signatures it is an unsigned one, whose bytes have the digest.
        sent = signed.Payload;
        Assert.Equal(signed.Payload, (await Client.GetManifestAsync(To(fake), Repository, signed.Digest, None)).Value.Bytes.ToArray());

        // One that is said to be signed, is not, and is not what was asked for either.
        sent = Encoding.UTF8.GetBytes("""{"schemaVersion":1,"fsLayers":[]}""");
        AssertFailed(FetchOutcome.Corrupt, await Client.GetManifestAsync(To(fake), Repository, signed.Digest, None));
    }

    [Fact]
    public async Task A_field_smuggled_in_beside_the_signed_payload_is_corrupt()
    {
        var signed = SignedSchema1.Of([ContentDigest.ToString()]);
        var sent = Encoding.UTF8.GetString(signed.Body).Replace("\"signatures\":", "\"fsLayers\": [], \"signatures\":", StringComparison.Ordinal);
        var fake = await StartAsync((context, _) =>
        {
            context.Response.ContentType = SignedSchema1.MediaType;
            return context.Response.WriteAsync(sent);
        });

        var failure = AssertFailed(FetchOutcome.Corrupt, await Client.GetManifestAsync(To(fake), Repository, signed.Digest, None));
        Assert.Contains("'fsLayers' is not what was signed", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_oversize_manifest_is_too_large_whether_it_says_so_or_not(bool announced)
    {
        var fake = await StartAsync(async (context, _) =>
        {
            var page = new byte[64 * 1024];
            if (announced)
                context.Response.ContentLength = 80L * page.Length;
            try
            {
                for (var i = 0; i < 80; i++)
                    await context.Response.Body.WriteAsync(page, context.RequestAborted);
            }
            catch (OperationCanceledException)
            {
                // The client has seen enough.
            }
        });

        AssertFailed(FetchOutcome.TooLarge, await Client.GetManifestAsync(To(fake), Repository, "latest", None));
    }

    [Fact]
    public async Task A_manifest_of_the_greatest_size_is_taken()
    {
        var fake = await StartAsync((context, _) => context.Response.Body.WriteAsync(new byte[UpstreamClient.MaxManifestBytes]).AsTask());

        Assert.Equal(UpstreamClient.MaxManifestBytes, (await Client.GetManifestAsync(To(fake), Repository, "latest", None)).Value.Bytes.Length);
    }

    [Fact]
    public async Task A_manifest_that_breaks_off_or_trickles_is_unavailable()
    {
        var trickle = false;
        var fake = await StartAsync(async (context, fake) =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(new byte[10]);
            while (trickle)
            {
                await Task.Delay(50, fake.Closing);
                await context.Response.Body.WriteAsync(new byte[1], context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        });
        AssertFailed(FetchOutcome.Unavailable, await Client.GetManifestAsync(To(fake), Repository, "latest", None));

        trickle = true;
        var impatient = To(fake, options => options.StallTimeout = TimeSpan.FromMilliseconds(300));
        Assert.Contains("too slowly", AssertFailed(FetchOutcome.Unavailable, await Client.GetManifestAsync(impatient, Repository, "latest", None)).Message, StringComparison.Ordinal);
        trickle = false;
    }

    [Theory]
    [InlineData("../admin", "latest")]
    [InlineData("team/app", "../../_catalog")]
    [InlineData("team/app", "a?b")]
    public async Task A_name_that_would_change_the_address_is_misuse(string repository, string reference)
    {
        var fake = await StartAsync(_ => { });

        await Assert.ThrowsAsync<ArgumentException>(() => Client.GetManifestAsync(To(fake), repository, reference, None));
        Assert.Empty(fake.Seen);
    }
}
