using Microsoft.AspNetCore.Http.Features;

namespace Entrepot.Hosting;

/// <summary>
/// Answers some requests ahead of the web framework: for them no HttpContext, no activity, no request metric and no log scope is made,
/// which together cost several times what an answer from memory does. Registered as a singleton; called from many threads at once.
/// </summary>
public interface IShortcut
{
    /// <summary>Answers a request, or returns null and has touched nothing: then the application answers it.</summary>
    Task? AnswerOrNull(IFeatureCollection request);
}
