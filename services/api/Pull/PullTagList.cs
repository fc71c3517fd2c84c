using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>The tags of a repository: the upstream's full list, sorted and paged by us; while it can't be had, the tags that were pulled before.</summary>
internal sealed class PullTagList(PullDocument documents, Holdings holdings, ILogger<PullTagList> log)
{
    /// <param name="pull">The request.</param>
    /// <param name="name">The name as the client wrote it.</param>
    public async Task RunAsync(PullRequest pull, string name)
    {
        if (!Page.TryRead(pull.Http.Request.Query, out var page, out var error))
        {
            await OciErrorResult.WriteAsync(pull.Http, error);
            return;
        }
        var (document, from, failure) = await documents.FindAsync(pull, FetchKind.TagList, "");
        IReadOnlyList<string> tags;
        if (document is not null)
        {
            tags = document.Tags;
        }
        else
        {
            tags = failure!.Outcome == FetchOutcome.NotFound ? [] : await holdings.ListTagsAsync(pull.Upstream.Name, pull.Repository, pull.Aborted);
            if (tags.Count == 0)
            {
                await OciErrorResult.WriteAsync(pull.Http, failure, OciErrorCode.NameUnknown);
                return;
            }
            log.ListServedStale(FetchKind.TagList, pull.Upstream.Name, pull.Repository, failure.Message);
            from = Provenance.Unconfirmed(TimeSpan.Zero, failure) with { Age = null };
        }
        from.WriteTo(pull.Http.Response.Headers);
        from.Cache.Trace();
        await ListResult.WriteAsync(pull.Http, page, tags, "tags", name);
    }
}
